using System.Net;

namespace MirrorD.Io;

/// <summary>Where to listen or connect.</summary>
public abstract record Endpoint;

/// <summary>A unix stream socket.</summary>
/// <param name="Path">File system path, at most 107 bytes.</param>
public sealed record UnixEndpoint(string Path) : Endpoint;

/// <summary>A TCP socket.</summary>
/// <param name="Address">Address to listen on, or of the peer to connect to.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Interface">Bound to this network interface (SO_BINDTODEVICE) when not null.</param>
/// <param name="LocalAddress">When connecting: bound to this source address when not null.</param>
public sealed record TcpEndpoint(IPAddress Address, int Port, string? Interface = null, IPAddress? LocalAddress = null)
    : Endpoint
{
    /// <summary>
    /// When listening: the address need not be there yet (ip(7), IP_FREEBIND); connections come once it is.
    /// </summary>
    public bool IsAwaited { get; init; }
}
