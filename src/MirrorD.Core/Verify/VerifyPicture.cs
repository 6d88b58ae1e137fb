namespace MirrorD.Core.Verify;

/// <summary>A verify as others see it: the running one, or the last.</summary>
public sealed record VerifyPicture
{
    /// <summary>It was this node that compared; else the peer, which told the totals.</summary>
    public required bool IsOwn { get; init; }

    /// <summary>Differences are repaired as they are found.</summary>
    public bool Repairs { get; init; }

    /// <summary>Bytes of all volumes; 0 when the peer compared.</summary>
    public long TotalBytes { get; init; }

    /// <summary>Bytes compared so far, those that could not be read included.</summary>
    public long ComparedBytes { get; init; }

    /// <summary>Bytes of ranges that differ.</summary>
    public long DifferentBytes { get; init; }

    /// <summary>Bytes of ranges that one side or both could not read.</summary>
    public long UnreadableBytes { get; init; }

    /// <summary>Bytes of both kinds that were copied to the peer.</summary>
    public long RepairedBytes { get; init; }

    /// <summary>
    /// The ranges, in the order in which they were found; no more than <see cref="Limits.VerifyFindings"/>, the totals count all.
    /// </summary>
    public IReadOnlyList<VerifyFinding> Findings { get; init; } = [];

    /// <summary>When it began, in nanoseconds of the loop; 0 when the peer compared.</summary>
    public long StartedNs { get; init; }

    /// <summary>When it ended; null while it runs.</summary>
    public long? EndedNs { get; init; }

    /// <summary>Why it ended before everything was compared; null when it did not.</summary>
    public string? EndedEarly { get; init; }

    /// <summary>Both copies were compared as a whole, and nothing is different or unreadable that was not repaired.</summary>
    public bool IsClean => EndedNs is not null && EndedEarly is null && DifferentBytes + UnreadableBytes == RepairedBytes;
}
