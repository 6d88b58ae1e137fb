namespace MirrorD.Api;

/// <summary>Requests of a kind between two looks.</summary>
public sealed record OperationRateReport
{
    /// <summary>One of <see cref="LoadOperation"/>.</summary>
    public required string Operation { get; init; }

    /// <summary>Clients' requests that were answered, each second.</summary>
    public required double PerSecond { get; init; }

    /// <summary>Bytes read or written, each second; 0 for flushes.</summary>
    public required double BytesPerSecond { get; init; }

    /// <summary>Stages in which there was something.</summary>
    public required IReadOnlyList<StageQuantilesReport> Stages { get; init; }
}
