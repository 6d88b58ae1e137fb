namespace MirrorD.Io.Linux.Loops;

/// <summary>A bound and connected UDP socket of a <see cref="LinuxLoop"/>.</summary>
internal sealed class LoopDatagramSocket(LinuxLoop loop, int fd, UdpEndpoint endpoint)
    : LoopSocket(loop, fd), IDatagramSocket
{
    public UdpEndpoint Endpoint { get; } = endpoint;

    public override string ToString() => Sockets.KernelAddress.Describe(Endpoint);
}
