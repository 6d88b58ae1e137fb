using Microsoft.Extensions.Logging;
using MirrorD.Engine.Nbd;

namespace MirrorD.Daemon.Logging;

/// <summary>
/// Logs what happens to NBD clients, at most so many a minute: anybody who may connect could fill the log
/// otherwise. On the loop's thread only.
/// </summary>
internal sealed class NbdEventLog(ILogger logger, string resource, Func<long> nowNs)
{
    private const int MostPerMinute = 60;
    private const long MinuteNs = 60_000_000_000;

    private long _minuteBeganNs;
    private int _logged;
    private long _leftOut;

    public void Add(NbdEvent happened)
    {
        long now = nowNs();
        if (now - _minuteBeganNs >= MinuteNs)
        {
            if (_leftOut > 0)
            {
                ResourceLog.NbdLeftOut(logger, resource, _leftOut);
            }

            _minuteBeganNs = now;
            _logged = 0;
            _leftOut = 0;
        }

        if (_logged++ >= MostPerMinute)
        {
            _leftOut++;
            return;
        }

        string kind = NameOf(happened.Kind);
        bool isTrouble =
            happened.Kind is NbdEventKind.Lost or NbdEventKind.Violation or NbdEventKind.AcceptFailed;
        if (isTrouble)
        {
            ResourceLog.NbdTrouble(logger, resource, kind, happened.Client, happened.Export, happened.Text);
        }
        else
        {
            ResourceLog.NbdHappened(logger, resource, kind, happened.Client, happened.Export, happened.Text);
        }
    }

    private static string NameOf(NbdEventKind kind) => kind switch
    {
        NbdEventKind.Opened => "opened",
        NbdEventKind.Closed => "closed",
        NbdEventKind.Lost => "lost",
        NbdEventKind.Violation => "violation",
        NbdEventKind.Refused => "refused",
        NbdEventKind.AcceptFailed => "accept-failed",
    };
}
