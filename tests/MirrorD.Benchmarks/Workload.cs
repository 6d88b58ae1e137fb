namespace MirrorD.Benchmarks;

/// <summary>Requests of one kind and size, so many at once.</summary>
/// <param name="Pattern">As fio's rw.</param>
/// <param name="BlockSize">As fio's bs.</param>
/// <param name="Depth">Requests at once.</param>
/// <param name="Flushes">A flush after each write.</param>
/// <param name="IsDurable">Each write is durable when it completes (O_DSYNC).</param>
internal sealed record Workload(string Pattern, string BlockSize, int Depth, bool Flushes = false, bool IsDurable = false)
{
    /// <summary>So much of a volume is read and written, if nothing else is said.</summary>
    public const long Bytes = 128L << 20;

    /// <summary>Connections at once, each with so many requests.</summary>
    public int Clients { get; init; } = 1;

    /// <summary>Requests are somewhere in so much of the volume.</summary>
    public long SpanBytes { get; init; } = Bytes;

    /// <summary>Each request begins at a multiple of this; null: of its size.</summary>
    public long? AlignBytes { get; init; }

    /// <summary>No more requests each second than this; null: as many as it can.</summary>
    public int? PerSecond { get; init; }

    /// <summary>What it is called; null: after what it does.</summary>
    public string? Name { get; init; }

    public static Workload Write4KOne { get; } = new("randwrite", "4k", 1);

    public static Workload Write4KMany { get; } = new("randwrite", "4k", 32);

    public static Workload Write128K { get; } = new("write", "128k", 8);

    public static Workload Write128KMany { get; } = new("write", "128k", 32);

    public static Workload Read4KOne { get; } = new("randread", "4k", 1);

    public static Workload Read4KMany { get; } = new("randread", "4k", 32);

    public static Workload WriteAndFlush { get; } = new("randwrite", "4k", 1, Flushes: true);

    /// <summary>fio's arguments for it.</summary>
    /// <param name="seconds">So long.</param>
    public IReadOnlyList<string> Arguments(double seconds) =>
    [
        "--name=bench", $"--rw={Pattern}", $"--bs={BlockSize}", $"--iodepth={Depth}", $"--size={SpanBytes}", "--norandommap",
        "--randrepeat=0", "--time_based", FormattableString.Invariant($"--runtime={seconds * 1000:0}ms"), "--ramp_time=300ms",
        "--group_reporting", "--output-format=json", .. Flushes ? (string[])["--fsync=1"] : [],
        .. IsDurable ? (string[])["--sync=dsync"] : [],
        .. Clients > 1 ? (string[])[$"--numjobs={Clients}"] : [],
        .. PerSecond is int most ? (string[])[$"--rate_iops={most}"] : [],
        .. AlignBytes is long align ? (string[])[$"--blockalign={align}"] : [],
    ];

    public override string ToString() => Name ??
        (Clients > 1 ? $"{Clients} clients, " : "")
        + $"{BlockSize} {(Pattern.EndsWith("read", StringComparison.Ordinal) ? "reads" : "writes")}"
        + $"{(Flushes ? ", each flushed" : "")}{(IsDurable ? ", each durable" : "")}, QD{Depth}";
}
