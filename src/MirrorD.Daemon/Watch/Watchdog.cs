using System.Globalization;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Watch;

/// <summary>
/// Tells the service manager that the watch's loop moves (WatchdogSec=, sd_watchdog_enabled(3)). A loop of a resource that
/// stands still is no reason to end the others: the watch tells its peer.
/// </summary>
internal sealed class Watchdog
{
    // Twice the rate that the manual page asks for.
    private const int TimesPerPeriod = 4;

    private readonly IIoLoop _loop;
    private readonly IoOperation _timer;
    private readonly long _intervalNs;

    private Watchdog(IIoLoop loop, long intervalNs)
    {
        _loop = loop;
        _intervalNs = intervalNs;
        _timer = new IoOperation(_ => Tell());
    }

    /// <summary>Begins, if the service manager wants to be told. Before the loop runs, or on it.</summary>
    public static void Start(IIoLoop loop)
    {
        if (IntervalNs(
            Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"),
            Environment.ProcessId) is { } intervalNs)
        {
            new Watchdog(loop, intervalNs).Tell();
        }
    }

    /// <summary>How often to tell; null when nobody listens.</summary>
    /// <param name="period">WATCHDOG_USEC: microseconds.</param>
    /// <param name="process">WATCHDOG_PID: whom it is for; null means anybody.</param>
    /// <param name="own">This process.</param>
    internal static long? IntervalNs(string? period, string? process, int own)
    {
        bool isForUs = process is null || process == own.ToString(CultureInfo.InvariantCulture);
        return isForUs && long.TryParse(period, NumberStyles.None, CultureInfo.InvariantCulture, out long periodUs)
            && periodUs > 0
            ? periodUs * 1000 / TimesPerPeriod
            : null;
    }

    private void Tell()
    {
        ServiceManagerNotify.Alive();
        _loop.StartTimer(_loop.NowNs + _intervalNs, _timer);
    }
}
