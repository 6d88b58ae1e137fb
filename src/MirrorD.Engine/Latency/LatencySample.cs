namespace MirrorD.Engine.Latency;

/// <summary>What a <see cref="LatencyHistogram"/> had counted at a moment.</summary>
/// <param name="Counts">Its counters.</param>
/// <param name="SumNs">All times together.</param>
public sealed record LatencySample(IReadOnlyList<long> Counts, long SumNs)
{
    /// <summary>Times that were counted.</summary>
    public long Count => Counts.Sum();

    /// <summary>Times of at most so many nanoseconds, which is a bound of a counter.</summary>
    public long CountUpTo(long boundNs)
    {
        long count = 0;
        for (int i = 0; i < Counts.Count && LatencyHistogram.BoundNs(i) <= boundNs; i++)
        {
            count += Counts[i];
        }

        return count;
    }
}
