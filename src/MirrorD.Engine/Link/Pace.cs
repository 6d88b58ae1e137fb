namespace MirrorD.Engine.Link;

/// <summary>How fast connections of which nothing is known are taken up: so many at once, then one for each interval.</summary>
/// <param name="intervalNs">The interval, in nanoseconds.</param>
/// <param name="burst">So many at once.</param>
internal sealed class Pace(long intervalNs, int burst)
{
    private long _dueNs = long.MinValue;

    /// <summary>Counts one.</summary>
    /// <param name="nowNs">The loop's time.</param>
    /// <returns>Time in nanoseconds until the next one may be taken up; 0: at once.</returns>
    public long Count(long nowNs)
    {
        _dueNs = Math.Max(_dueNs, nowNs - (intervalNs * burst)) + intervalNs;
        return Math.Max(0, _dueNs - nowNs);
    }
}
