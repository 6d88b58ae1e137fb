using System.Net;
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

    /// <summary>The connection of a client that was accepted.</summary>
    public UringConnection Accept(int fd)
    {
        if (Endpoint is not TcpEndpoint)
        {
            return new UringConnection(_loop, fd, $"client of {KernelAddress.Describe(Endpoint)}", null);
        }

        IPEndPoint? peer = KernelAddress.PeerOf(fd);
        return new UringConnection(_loop, fd, peer?.ToString() ?? "a client that has gone", peer?.Address);
    }

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
