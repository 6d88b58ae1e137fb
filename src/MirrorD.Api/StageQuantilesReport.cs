namespace MirrorD.Api;

/// <summary>What half of the requests, and all but one in a hundred, took at most in a stage.</summary>
public sealed record StageQuantilesReport
{
    /// <summary>As in <see cref="StageTimesReport.Stage"/>.</summary>
    public required string Stage { get; init; }

    /// <summary>Microseconds, a quarter too much at most; null: longer than the scale.</summary>
    public long? P50Microseconds { get; init; }

    /// <summary>The same of 99 in a hundred.</summary>
    public long? P99Microseconds { get; init; }
}
