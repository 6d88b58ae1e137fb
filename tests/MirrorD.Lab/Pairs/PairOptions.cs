namespace MirrorD.Lab.Pairs;

/// <summary>What a pair's volumes lie on.</summary>
public enum DiskKind
{
    /// <summary>Preallocated files.</summary>
    File,

    /// <summary>Loop devices over files.</summary>
    Loop,

    /// <summary>Disks with a volatile write cache.</summary>
    Volatile,
}

/// <summary>How a pair is set up.</summary>
public sealed record PairOptions
{
    /// <summary>Names of the volumes.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = ["data"];

    /// <summary>
    /// Bytes of each backing disk; the volume is a little smaller, its metadata lie at the end.
    /// </summary>
    public long DiskBytes { get; init; } = 256L << 20;

    /// <summary>What the volumes lie on.</summary>
    public DiskKind Disks { get; init; } = DiskKind.File;

    /// <summary>"freeze" or "continue".</summary>
    public string OnPeerLoss { get; init; } = "freeze";

    /// <summary>With an arbiter in a directory that both nodes see.</summary>
    public bool Arbiter { get; init; }

    /// <summary>Silence on the link after which it is lost.</summary>
    public string LinkTimeout { get; init; } = "2s";

    /// <summary>Ceiling of the resync, e.g. "20MiB/s"; null for none.</summary>
    public string? ResyncRate { get; init; }

    /// <summary>Chance in percent that a volatile disk keeps an unflushed block.</summary>
    public int EvictPercent { get; init; } = 30;
}
