using MirrorD.Daemon.Control;
using MirrorD.Daemon.Notifications;
using MirrorD.Daemon.Processes;
using MirrorD.Daemon.Resources;
using MirrorD.Daemon.Watch;

namespace MirrorD.Daemon.Startup;

/// <summary>
/// How long a planned stop may take, part by part. All together they have to fit into TimeoutStopSec of the unit: who is
/// killed after it leaves addresses and block devices behind.
/// </summary>
internal static class StopLimits
{
    /// <summary>
    /// From the signal on: the question why, hooks (30 s each by default), users of block devices, what is in flight.
    /// </summary>
    public static readonly TimeSpan Orderly = TimeSpan.FromSeconds(70);

    /// <summary>The longest that a stop takes, from the signal on.</summary>
    public static TimeSpan All => Orderly + RunningResource.AfterStopWait + WatchThread.StopWait
        + NotificationQueue.Grace + ChildProcess.KillWait + ControlServer.Patience;
}
