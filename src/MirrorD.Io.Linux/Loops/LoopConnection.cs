using System.Net;

namespace MirrorD.Io.Linux.Loops;

/// <summary>A stream socket of a <see cref="LinuxLoop"/>: connected, or about to be for its first operation.</summary>
internal sealed class LoopConnection(LinuxLoop loop, int fd, string name, IPAddress? remoteAddress)
    : LoopSocket(loop, fd), IConnection
{
    public string Name { get; } = name;

    public IPAddress? RemoteAddress { get; } = remoteAddress;

    public override string ToString() => Name;
}
