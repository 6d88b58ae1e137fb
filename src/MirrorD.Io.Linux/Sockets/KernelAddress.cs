using System.Buffers.Binary;
using System.Net;
using System.Text;
using MirrorD.Io.Linux.Interop;
using AddressFamily = System.Net.Sockets.AddressFamily;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>Endpoints as the kernel's socket addresses and as text.</summary>
internal static unsafe class KernelAddress
{
    /// <summary>Room for any socket address that is used here.</summary>
    public const uint MaxBytes = 128;

    /// <summary>Longest path of a unix socket in bytes, without the closing zero.</summary>
    public const int MaxPathBytes = 107;

    /// <summary>Address family of an endpoint.</summary>
    public static int Family(Endpoint endpoint) => endpoint switch
    {
        UnixEndpoint => Socket.AF_UNIX,
        TcpEndpoint tcp => Family(tcp.Address),
        _ => throw new ArgumentException($"Unknown endpoint {endpoint.GetType().Name}.", nameof(endpoint)),
    };

    /// <summary>Address family of an IP address.</summary>
    public static int Family(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? Socket.AF_INET6 : Socket.AF_INET;

    /// <summary>Writes the endpoint's address; returns its length in bytes.</summary>
    /// <param name="endpoint">A unix path must have been checked against <see cref="MaxPathBytes"/>.</param>
    /// <param name="memory">At least <see cref="MaxBytes"/>.</param>
    public static uint Encode(Endpoint endpoint, byte* memory) => endpoint switch
    {
        UnixEndpoint unix => EncodePath(unix.Path, (sockaddr_un*)memory),
        TcpEndpoint tcp => Encode(tcp.Address, tcp.Port, memory),
        _ => throw new ArgumentException($"Unknown endpoint {endpoint.GetType().Name}.", nameof(endpoint)),
    };

    /// <summary>Writes an IP address and port; returns the length in bytes.</summary>
    public static uint Encode(IPAddress address, int port, byte* memory)
    {
        new Span<byte>(memory, (int)MaxBytes).Clear();
        ushort networkPort = BinaryPrimitives.ReverseEndianness((ushort)port);
        if (Family(address) == Socket.AF_INET)
        {
            var v4 = (sockaddr_in*)memory;
            v4->sin_family = Socket.AF_INET;
            v4->sin_port = networkPort;
            address.TryWriteBytes(new Span<byte>(&v4->sin_addr, 4), out _);
            return (uint)sizeof(sockaddr_in);
        }

        var v6 = (sockaddr_in6*)memory;
        v6->sin6_family = Socket.AF_INET6;
        v6->sin6_port = networkPort;
        address.TryWriteBytes(new Span<byte>(v6->sin6_addr, 16), out _);
        v6->sin6_scope_id = (uint)address.ScopeId;
        return (uint)sizeof(sockaddr_in6);
    }

    /// <summary>Reads an IP address and port.</summary>
    public static IPEndPoint? Decode(byte* memory)
    {
        switch (*(ushort*)memory)
        {
            case Socket.AF_INET:
                var v4 = (sockaddr_in*)memory;
                return new IPEndPoint(
                    new IPAddress(new ReadOnlySpan<byte>(&v4->sin_addr, 4)),
                    BinaryPrimitives.ReverseEndianness(v4->sin_port));
            case Socket.AF_INET6:
                var v6 = (sockaddr_in6*)memory;
                return new IPEndPoint(
                    new IPAddress(new ReadOnlySpan<byte>(v6->sin6_addr, 16), v6->sin6_scope_id),
                    BinaryPrimitives.ReverseEndianness(v6->sin6_port));
            default:
                return null;
        }
    }

    /// <summary>The endpoint for messages.</summary>
    public static string Describe(Endpoint endpoint) => endpoint switch
    {
        UnixEndpoint unix => unix.Path,
        TcpEndpoint tcp =>
            $"{new IPEndPoint(tcp.Address, tcp.Port)}{(tcp.Interface is null ? "" : " on ")}{tcp.Interface}",
        UdpEndpoint udp => $"{new IPEndPoint(udp.LocalAddress, udp.LocalPort)} to "
            + $"{new IPEndPoint(udp.RemoteAddress, udp.RemotePort)}"
            + $"{(udp.Interface is null ? "" : " on ")}{udp.Interface}",
        _ => endpoint.ToString(),
    };

    /// <summary>The other end of a connected TCP socket; null when it is gone.</summary>
    public static IPEndPoint? PeerOf(int fd)
    {
        byte* memory = stackalloc byte[(int)MaxBytes];
        uint length = MaxBytes;
        return Socket.getpeername(fd, memory, &length) == 0 ? Decode(memory) : null;
    }

    private static uint EncodePath(string path, sockaddr_un* address)
    {
        *address = new sockaddr_un { sun_family = Socket.AF_UNIX };
        int bytes = Encoding.UTF8.GetBytes(path, new Span<byte>(address->sun_path, MaxPathBytes));
        return (uint)(sizeof(ushort) + bytes + 1);
    }
}
