namespace MirrorD.Api;

/// <summary>Progress of a resync.</summary>
public sealed record ResyncReport
{
    /// <summary>Bytes to sync at the start.</summary>
    public required long TotalBytes { get; init; }

    /// <summary>Bytes still to be confirmed.</summary>
    public required long RemainingBytes { get; init; }

    /// <summary>Data bytes sent so far; ranges of zeroes go without.</summary>
    public required long SentBytes { get; init; }

    /// <summary>Bytes found equal on both sides by their hashes (resync: by-checksum).</summary>
    public long EqualBytes { get; init; }

    /// <summary>Rate over the last seconds, ranges that were sent without data included.</summary>
    public required long BytesPerSecond { get; init; }

    /// <summary>Seconds until done at this rate; null when unknown.</summary>
    public long? SecondsLeft { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }
}
