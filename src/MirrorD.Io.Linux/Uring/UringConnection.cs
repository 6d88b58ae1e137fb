using System.Net;

namespace MirrorD.Io.Linux.Uring;

/// <summary>A connected stream socket of a <see cref="UringLoop"/>.</summary>
internal sealed class UringConnection(UringLoop loop, int fd, string name, IPAddress? remoteAddress) : IConnection
{
    public string Name { get; } = name;

    public IPAddress? RemoteAddress { get; } = remoteAddress;

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

    public override string ToString() => Name;
}
