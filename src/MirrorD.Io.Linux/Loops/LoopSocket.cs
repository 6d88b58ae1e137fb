namespace MirrorD.Io.Linux.Loops;

/// <summary>A socket of a <see cref="LinuxLoop"/>: connection, listener or datagram socket.</summary>
internal abstract class LoopSocket(LinuxLoop loop, int fd)
{
    public int Fd { get; } = fd;

    /// <summary>The pending receive or accept.</summary>
    public LoopOperation? Receiving { get; set; }

    /// <summary>The pending send or connect.</summary>
    public LoopOperation? Sending { get; set; }

    /// <summary>For the loop: its own number of this socket.</summary>
    public int Slot { get; set; } = -1;

    public bool IsClosed { get; private set; }

    public void Close()
    {
        if (!IsClosed)
        {
            IsClosed = true;
            Closing();
            loop.Close(this);
        }
    }

    /// <summary>It is about to be closed.</summary>
    protected virtual void Closing()
    {
    }
}
