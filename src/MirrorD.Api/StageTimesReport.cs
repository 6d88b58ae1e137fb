namespace MirrorD.Api;

/// <summary>How often requests of a kind spent how long in a stage.</summary>
public sealed record StageTimesReport
{
    /// <summary>write (also zeroes and discards), read or flush.</summary>
    public required string Operation { get; init; }

    /// <summary>queue, log, local_disk, peer, network, peer_disk, reply or total.</summary>
    public required string Stage { get; init; }

    /// <summary>All times together.</summary>
    public required long SumMicroseconds { get; init; }

    /// <summary>How often, by the steps of a fixed scale in which something was counted, shortest times first.</summary>
    public required IReadOnlyList<TimeCountReport> Counts { get; init; }
}
