namespace MirrorD.Api;

/// <summary>A line of <c>mirrorctl top --json</c>: what a volume did between two looks at it.</summary>
public sealed record VolumeRateReport
{
    /// <summary>Name of the resource.</summary>
    public required string Resource { get; init; }

    /// <summary>Name of the volume.</summary>
    public required string Volume { get; init; }

    /// <summary>Role of the node that was asked.</summary>
    public required string Role { get; init; }

    /// <summary>Seconds between the looks.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests in work at the second look.</summary>
    public required long InWork { get; init; }

    /// <summary>Of the resource: bytes at risk in modes memory and async.</summary>
    public required long AheadBytes { get; init; }

    /// <summary>Of the resource: milliseconds since the oldest of them was answered; null when there is none.</summary>
    public long? AheadMs { get; init; }

    /// <summary>Of the resource: seconds that the resync needs; null without one, or while that is not known.</summary>
    public long? ResyncSecondsLeft { get; init; }

    /// <summary>Writes, reads and flushes.</summary>
    public required IReadOnlyList<OperationRateReport> Operations { get; init; }
}
