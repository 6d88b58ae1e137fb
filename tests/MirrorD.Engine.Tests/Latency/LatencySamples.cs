using MirrorD.Engine.Latency;

namespace MirrorD.Engine.Tests.Latency;

/// <summary>What a sample says.</summary>
internal static class LatencySamples
{
    /// <summary>Times that were counted.</summary>
    public static long Total(this LatencySample sample) => sample.Counts.Sum();

    /// <summary>Times of at most so many nanoseconds, which is a bound of a counter.</summary>
    public static long CountUpTo(this LatencySample sample, long boundNs) =>
        sample.Counts.Where((_, i) => LatencyHistogram.BoundNs(i) <= boundNs).Sum();
}
