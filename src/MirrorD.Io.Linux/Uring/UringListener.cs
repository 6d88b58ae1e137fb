using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Uring;

/// <summary>A listening socket of a <see cref="UringLoop"/>.</summary>
internal sealed class UringListener : IListener
{
    private readonly UringLoop _loop;
    private readonly UnixSocketFile? _file;

    private UringListener(UringLoop loop, int fd, Endpoint endpoint, UnixSocketFile? file)
    {
        _loop = loop;
        _file = file;
        Fd = fd;
        Endpoint = endpoint;
    }

    /// <summary>Where it listens; port 0 is replaced by the port that the kernel chose.</summary>
    public Endpoint Endpoint { get; }

    public int Fd { get; }

    public UringOperation? Accepting { get; set; }

    public bool IsClosed { get; private set; }

    /// <summary>Opens a listening socket; throws <see cref="IOException"/>.</summary>
    public static UringListener Open(UringLoop loop, Endpoint endpoint)
    {
        int fd = SocketFactory.Listen(endpoint, out Endpoint bound, out UnixSocketFile? file);
        return new UringListener(loop, fd, bound, file);
    }

    /// <summary>Name of an accepted client, for messages.</summary>
    public string NameClient(int fd) => Endpoint is TcpEndpoint
        ? KernelAddress.DescribePeer(fd)
        : $"client of {KernelAddress.Describe(Endpoint)}";

    public void Close()
    {
        if (!IsClosed)
        {
            IsClosed = true;
            _file?.RemoveIfOurs();
            _loop.Close(this);
        }
    }

    public override string ToString() => KernelAddress.Describe(Endpoint);
}
