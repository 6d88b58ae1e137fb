using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>
/// Tells on a thread of its own when the kernel finds the socket of an nbd device dead. The kernel tells it
/// in the host's network namespace only, also where (6.12) the driver answers in others: there, and for a link
/// that died before the watch began, <see cref="NbdDriver.Reconfigure"/> has to be tried from time to time.
/// </summary>
public sealed class NbdLinkWatch : IDisposable
{
    private readonly INbdLinkObserver _observer;
    private readonly NetlinkSubscription _told;
    private readonly WakeSignal _stopped = new();
    private readonly Thread _thread;
    private volatile bool _isStopping;

    /// <summary>Watches all devices from now on.</summary>
    /// <exception cref="IOException">The kernel refused, or is too old to tell.</exception>
    public NbdLinkWatch(NbdDriver driver, INbdLinkObserver observer)
        : this(
            driver.Group ?? throw new IOException("This kernel does not tell when a link dies."),
            observer)
    {
    }

    /// <summary>The same with the number of the group.</summary>
    internal NbdLinkWatch(uint group, INbdLinkObserver observer)
    {
        _observer = observer;
        _told = NetlinkSubscription.ToGroup(group, "the links of nbd devices");
        _thread = new Thread(Run) { IsBackground = true, Name = "nbd link watch" };
        _thread.Start();
    }

    /// <summary>
    /// Ends the watch; nothing is told afterwards. Waits for an observer that is being told, unless it is
    /// that which calls.
    /// </summary>
    public void Dispose()
    {
        _isStopping = true;
        _stopped.Raise();
        if (Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        try
        {
            while (!_isStopping)
            {
                WakeSignal.Poll(
                    [
                        new() { fd = _stopped.Fd, events = Poll.POLLIN },
                        new() { fd = _told.Fd, events = Poll.POLLIN },
                    ],
                    timeoutMs: -1);
                if (!_isStopping && !_told.Visit((_, body) => Tell(body)))
                {
                    _observer.LinksUnknown();
                }
            }
        }
        catch (IOException failed)
        {
            if (!_isStopping)
            {
                _observer.WatchFailed(failed);
            }
        }
        finally
        {
            _told.Dispose();
            _stopped.Dispose();
        }
    }

    private void Tell(ReadOnlySpan<byte> body)
    {
        if (!_isStopping && NbdMessages.Command(body) == NbdNetlink.NBD_CMD_LINK_DEAD
            && NbdMessages.Index(body) is { } index)
        {
            _observer.LinkDead(index);
        }
    }
}
