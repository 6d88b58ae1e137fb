namespace MirrorD.Machines.Product;

/// <summary>What tests choose of a <see cref="MirroredPair"/>.</summary>
public sealed record PairChoices
{
    /// <summary>Memory of each machine in MiB.</summary>
    public int MemoryMebibytes { get; init; } = 768;

    /// <summary>Size of the backing disks; a multiple of 4096.</summary>
    public long DiskBytes { get; init; } = 160 << 20;

    /// <summary>Disks besides the backing one.</summary>
    public IReadOnlyList<Devices.MachineDisk> MoreDisks { get; init; } = [];

    /// <summary>Packages of Debian besides those of the image, fetched by the host's apt.</summary>
    public IReadOnlyList<string> MorePackages { get; init; } = [];

    /// <summary>See <see cref="Devices.MachineDisk"/>.</summary>
    public int EvictPercent { get; init; } = 30;

    /// <summary>dead-after of the heartbeats, and with it the time that a daemon has to be back.</summary>
    public int DeadAfterSeconds { get; init; } = 8;

    /// <summary>The disk of the volume, made by <see cref="SetUp"/>; null for the backing disk itself.</summary>
    public string? Device { get; init; }

    /// <summary>Done on each machine before mirrord starts there for the first time.</summary>
    public Action<Machine>? SetUp { get; init; }

    /// <summary>More lines of the resource's configuration.</summary>
    public IReadOnlyList<string> ResourceLines { get; init; } = [];
}
