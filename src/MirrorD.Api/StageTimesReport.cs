namespace MirrorD.Api;

/// <summary>How often requests of a kind spent how long in a stage.</summary>
public sealed record StageTimesReport
{
    /// <summary>One of <see cref="LoadOperation"/>.</summary>
    public required string Operation { get; init; }

    /// <summary>One of <see cref="LoadStage"/>.</summary>
    public required string Stage { get; init; }

    /// <summary>All times together.</summary>
    public required long SumMicroseconds { get; init; }

    /// <summary>How often, by the steps of a fixed scale in which something was counted, shortest times first.</summary>
    public required IReadOnlyList<TimeCountReport> Counts { get; init; }
}
