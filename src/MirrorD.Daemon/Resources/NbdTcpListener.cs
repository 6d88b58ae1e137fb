using MirrorD.Engine.Nbd;
using MirrorD.Io;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// Listens for the clients of a resource's exports over TCP. An address that is not there yet is no matter; what else is in
/// the way, such as a port that somebody else has, is told once and tried again. On the loop's thread only.
/// </summary>
internal sealed class NbdTcpListener
{
    private const long RetryNs = 2_000_000_000;

    private readonly IIoLoop _loop;
    private readonly Action<NbdEvent> _report;
    private readonly IoOperation _retry;
    private bool _isTold;

    /// <param name="loop">The resource's loop.</param>
    /// <param name="server">What listens.</param>
    /// <param name="report">Told what is in the way.</param>
    public NbdTcpListener(IIoLoop loop, NbdServer server, Action<NbdEvent> report)
    {
        _loop = loop;
        Server = server;
        _report = report;
        _retry = new IoOperation(_ => Start());
    }

    /// <summary>What listens, or will.</summary>
    public NbdServer Server { get; }

    /// <summary>Begins.</summary>
    public void Start()
    {
        try
        {
            Server.Start();
        }
        catch (IOException failed)
        {
            if (!_isTold)
            {
                _isTold = true;
                _report(new NbdEvent(
                    NbdEventKind.AcceptFailed, "", "", $"{failed.Message.TrimEnd('.')}; it is tried again until it works"));
            }

            _loop.StartTimer(_loop.NowNs + RetryNs, _retry);
        }
    }
}
