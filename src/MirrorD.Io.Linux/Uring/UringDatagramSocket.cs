namespace MirrorD.Io.Linux.Uring;

/// <summary>A bound and connected UDP socket of a <see cref="UringLoop"/>.</summary>
internal sealed class UringDatagramSocket(UringLoop loop, int fd, UdpEndpoint endpoint) : IDatagramSocket
{
    public UdpEndpoint Endpoint { get; } = endpoint;

    public int Fd { get; } = fd;

    public UringOperation? Receiving { get; set; }

    public UringOperation? Sending { get; set; }

    public bool IsClosed { get; private set; }

    public void Close()
    {
        if (!IsClosed)
        {
            IsClosed = true;
            loop.Close(this);
        }
    }

    public override string ToString() => Sockets.KernelAddress.Describe(Endpoint);
}
