using System.Net;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Loops;

/// <summary>A listening socket of a <see cref="LinuxLoop"/>.</summary>
internal sealed class LoopListener : LoopSocket, IListener
{
    private readonly LinuxLoop _loop;
    private readonly UnixSocketFile? _file;
    private bool _isFiltered;

    private LoopListener(LinuxLoop loop, int fd, Endpoint endpoint, UnixSocketFile? file)
        : base(loop, fd)
    {
        _loop = loop;
        _file = file;
        Endpoint = endpoint;
    }

    /// <summary>Where it listens; port 0 is replaced by the port that the kernel chose.</summary>
    public Endpoint Endpoint { get; }

    /// <summary>Opens a listening socket; throws <see cref="IOException"/>.</summary>
    public static LoopListener Open(LinuxLoop loop, Endpoint endpoint)
    {
        int fd = SocketFactory.Listen(endpoint, out Endpoint bound, out UnixSocketFile? file);
        return new LoopListener(loop, fd, bound, file);
    }

    /// <inheritdoc/>
    public void LetIn(IReadOnlyList<IPAddress>? callers)
    {
        if (IsClosed || Endpoint is not TcpEndpoint)
        {
            return;
        }

        if (callers is null)
        {
            _ = CallerFilter.LetAllIn(Fd);
        }
        else if (CallerFilter.LetIn(Fd, callers) == 0)
        {
            _isFiltered = true;
        }
    }

    /// <summary>The connection of a client that was accepted.</summary>
    public LoopConnection Accept(int fd)
    {
        if (_isFiltered)
        {
            // It has what the listener had: work for each packet, and for nothing.
            _ = CallerFilter.LetAllIn(fd);
        }

        if (Endpoint is not TcpEndpoint)
        {
            return new LoopConnection(_loop, fd, $"client of {KernelAddress.Describe(Endpoint)}", null);
        }

        IPEndPoint? peer = KernelAddress.PeerOf(fd);
        return new LoopConnection(_loop, fd, peer?.ToString() ?? "a client that has gone", peer?.Address);
    }

    public override string ToString() => KernelAddress.Describe(Endpoint);

    protected override void Closing() => _file?.RemoveIfOurs();
}
