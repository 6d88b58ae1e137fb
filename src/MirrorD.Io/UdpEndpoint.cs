using System.Net;

namespace MirrorD.Io;

/// <summary>
/// The two ends of a datagram socket: it sends to the remote end only, and takes only what comes from there.
/// </summary>
/// <param name="LocalAddress">An address of this host; not a wildcard.</param>
/// <param name="LocalPort">UDP port; 0: any that is free.</param>
/// <param name="RemoteAddress">The other end, of the same address family.</param>
/// <param name="RemotePort">UDP port there.</param>
/// <param name="Interface">Bound to this network interface (SO_BINDTODEVICE) when not null.</param>
public sealed record UdpEndpoint(
    IPAddress LocalAddress, int LocalPort, IPAddress RemoteAddress, int RemotePort, string? Interface = null)
    : Endpoint;
