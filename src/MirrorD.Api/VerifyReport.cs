namespace MirrorD.Api;

/// <summary>The verify that runs, or the last one.</summary>
public sealed record VerifyReport
{
    /// <summary>Node that compares, or compared.</summary>
    public required string Node { get; init; }

    /// <summary>Differences are repaired as they are found.</summary>
    public bool Repair { get; init; }

    /// <summary>Bytes to compare; null when the other node compared.</summary>
    public long? TotalBytes { get; init; }

    /// <summary>Bytes compared, those that could not be read included.</summary>
    public required long ComparedBytes { get; init; }

    /// <summary>Bytes of ranges that differ.</summary>
    public required long DifferentBytes { get; init; }

    /// <summary>Bytes of ranges that one node or both could not read.</summary>
    public required long UnreadableBytes { get; init; }

    /// <summary>Bytes of both kinds that were repaired.</summary>
    public required long RepairedBytes { get; init; }

    /// <summary>Where they are, as far as they are listed: neighbours as one, the first 64.</summary>
    public required IReadOnlyList<VerifyFindingReport> Findings { get; init; }

    /// <summary>When it began; null when the other node compared.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Why it ended before everything was compared; null when it did not.</summary>
    public string? EndedEarly { get; init; }
}
