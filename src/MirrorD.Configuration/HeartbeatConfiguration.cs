namespace MirrorD.Configuration;

/// <summary>How nodes tell each other that they live, on every configured network.</summary>
/// <param name="IntervalMs">Between two heartbeats, in milliseconds.</param>
/// <param name="DeadAfterMs">
/// A path without authenticated heartbeat for so long is lost, in milliseconds; at least three intervals.
/// </param>
public sealed record HeartbeatConfiguration(
    int IntervalMs = HeartbeatConfiguration.DefaultIntervalMs,
    int DeadAfterMs = HeartbeatConfiguration.DefaultDeadAfterMs)
{
    /// <summary>Interval unless the file names one.</summary>
    public const int DefaultIntervalMs = 500;

    /// <summary>Time after which a path is lost unless the file names one.</summary>
    public const int DefaultDeadAfterMs = 3000;
}
