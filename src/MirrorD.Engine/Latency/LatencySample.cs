namespace MirrorD.Engine.Latency;

/// <summary>What a <see cref="LatencyHistogram"/> had counted at a moment.</summary>
/// <param name="Counts">Its counters.</param>
/// <param name="SumNs">All times together.</param>
public sealed record LatencySample(IReadOnlyList<long> Counts, long SumNs);
