namespace MirrorD.Lab.Pairs;

/// <summary>What a pair's volumes lie on.</summary>
public enum DiskKind
{
    /// <summary>Preallocated files.</summary>
    File,

    /// <summary>Files without room of their own: for volumes that are larger than what is written to them.</summary>
    Sparse,

    /// <summary>Loop devices over files.</summary>
    Loop,

    /// <summary>Disks with a volatile write cache.</summary>
    Volatile,

    /// <summary>Disks that fail or hang when told to.</summary>
    Failing,

    /// <summary>Sparse files, each on a file system of its own that can be filled.</summary>
    Crowded,

    /// <summary>As <see cref="Crowded"/>, where files can share blocks.</summary>
    Shared,
}

/// <summary>How a pair is set up. What is null is left out of the configuration.</summary>
public sealed record PairOptions
{
    /// <summary>
    /// How many times slower than usual heartbeats are, from the environment variable LAB_SLOWNESS: for machines that
    /// are busy with much else.
    /// </summary>
    public static double Slowness { get; } =
        Environment.GetEnvironmentVariable("LAB_SLOWNESS") is { Length: > 0 } text
            ? double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)
            : 1;

    /// <summary>
    /// A pair that takes over by itself, with heartbeats that find a loss within a second: short for a test, and still
    /// ten intervals, which a machine that has little else to do does not use up.
    /// </summary>
    public static PairOptions Automatic { get; } = new()
    {
        Autoswitch = null,
        OnPeerLoss = "auto",
        LinkTimeout = null,
        HeartbeatInterval = TimeSpan.FromMilliseconds(100) * Slowness,
        DeadAfter = TimeSpan.FromSeconds(1) * Slowness,
        DiskBytes = 64L << 20,
    };

    /// <summary>Names of the volumes.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = ["data"];

    /// <summary>
    /// Resources in all, 1 or more; those after the first one have a volume each, on files of their own, and no addresses.
    /// </summary>
    public int Resources { get; init; } = 1;

    /// <summary>
    /// Bytes of each backing disk; the volume is a little smaller, its metadata lie at the end.
    /// </summary>
    public long DiskBytes { get; init; } = 256L << 20;

    /// <summary>What the volumes lie on.</summary>
    public DiskKind Disks { get; init; } = DiskKind.File;

    /// <summary>"auto", "freeze" or "continue".</summary>
    public string OnPeerLoss { get; init; } = "freeze";

    /// <summary>Whether the standby takes over by itself; null: as arbiter and gateway imply.</summary>
    public bool? Autoswitch { get; init; } = false;

    /// <summary>With an arbiter in a directory that both nodes see.</summary>
    public bool Arbiter { get; init; }

    /// <summary>With the lab's gateway on the production network.</summary>
    public bool Gateway { get; init; }

    /// <summary>Silence on the link after which it is lost.</summary>
    public string? LinkTimeout { get; init; } = "2s";

    /// <summary>Time between two heartbeats.</summary>
    public TimeSpan? HeartbeatInterval { get; init; }

    /// <summary>Silence on a path after which it is lost.</summary>
    public TimeSpan? DeadAfter { get; init; }

    /// <summary>More lines for the resource, each "key: value".</summary>
    public IReadOnlyList<string> ResourceLines { get; init; } = [];

    /// <summary>A line more for a node, by its name: "key: value".</summary>
    public IReadOnlyDictionary<string, string> NodeLine { get; init; } = new Dictionary<string, string>();

    /// <summary>Ceiling of the resync, e.g. "20MiB/s"; null for none.</summary>
    public string? ResyncRate { get; init; }

    /// <summary>What writes to a failing disk get, once it fails: EIO or ENOSPC.</summary>
    public string DiskError { get; init; } = "EIO";

    /// <summary>Milliseconds that each write to a failing disk of this node takes longer; null: of none.</summary>
    public (string Node, int Milliseconds)? SlowWrites { get; init; }

    /// <summary>Chance in percent that a volatile disk keeps an unflushed block.</summary>
    public int EvictPercent { get; init; } = 30;
}
