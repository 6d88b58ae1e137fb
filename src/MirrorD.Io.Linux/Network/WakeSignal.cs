using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>Ends a wait in poll(2) from another thread; once raised it stays (eventfd(2)).</summary>
internal sealed unsafe class WakeSignal : IDisposable
{
    private readonly Lock _gate = new();
    private bool _isClosed;

    public WakeSignal()
    {
        Fd = EventFd.eventfd(0, EventFd.EFD_CLOEXEC | EventFd.EFD_NONBLOCK);
        if (Fd < 0)
        {
            throw LinuxError.Exception("No descriptor to end a wait with", LinuxError.Last);
        }
    }

    /// <summary>For poll(2).</summary>
    public int Fd { get; }

    public void Raise()
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                ulong one = 1;
                _ = Unistd.write(Fd, &one, sizeof(ulong));
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (!_isClosed)
            {
                _isClosed = true;
                _ = Unistd.close(Fd);
            }
        }
    }

    /// <summary>
    /// Waits until one of the descriptors has something to tell; false when the time passed.
    /// </summary>
    /// <param name="descriptors">What to wait for; their revents are filled in.</param>
    /// <param name="timeoutMs">How long; negative: without limit.</param>
    public static bool Poll(Span<pollfd> descriptors, int timeoutMs)
    {
        fixed (pollfd* first = descriptors)
        {
            int count = Interop.Poll.poll(first, (nuint)descriptors.Length, timeoutMs);
            if (count >= 0)
            {
                return count > 0;
            }
        }

        // An interrupted wait counts as one that found something: whoever waits looks and waits again.
        return LinuxError.Last == LinuxError.EINTR
            ? true
            : throw LinuxError.Exception("A wait for packets failed", LinuxError.Last);
    }
}
