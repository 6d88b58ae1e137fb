namespace MirrorD.Core.Failover;

/// <summary>Times of the watch, in nanoseconds of the loop's clock.</summary>
/// <param name="IntervalNs">Between two heartbeats.</param>
/// <param name="DeadAfterNs">A path without a heartbeat for so long is lost.</param>
public readonly record struct PathTimes(long IntervalNs, long DeadAfterNs)
{
    /// <summary>
    /// Wait of a path whose far end answered that nobody listens there. Not zero: a restart looks the same.
    /// </summary>
    public long RefusedWaitNs => Math.Min(DeadAfterNs, 2 * IntervalNs);

    /// <summary>Changes within this time of the first one are told together.</summary>
    public long SettleNs => 2 * IntervalNs;

    /// <summary>
    /// How long a refusal says that the host lives. Hosts answer about once a second at most, whatever they
    /// are sent (net.ipv4.icmp_ratelimit).
    /// </summary>
    public long RefusalHoldsNs => Math.Max(DeadAfterNs, 3_000_000_000);
}
