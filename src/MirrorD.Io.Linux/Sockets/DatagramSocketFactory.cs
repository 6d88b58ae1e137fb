using System.Net;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>Opens UDP sockets. In blocking mode, as of <see cref="SocketFactory"/>.</summary>
internal static unsafe class DatagramSocketFactory
{
    /// <summary>
    /// A bound and connected socket; throws <see cref="IOException"/> that names endpoint and cause.
    /// </summary>
    /// <param name="endpoint">Its two ends.</param>
    /// <param name="bound">The same with the port that was chosen for port 0.</param>
    public static int Open(UdpEndpoint endpoint, out UdpEndpoint bound)
    {
        if (endpoint.LocalAddress.Equals(IPAddress.Any) || endpoint.LocalAddress.Equals(IPAddress.IPv6Any))
        {
            throw new IOException(
                $"Cannot open UDP {KernelAddress.Describe(endpoint)}: the local address is a wildcard.");
        }

        int family = KernelAddress.Family(endpoint.LocalAddress);
        int fd = Negative(Socket.socket(family, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0));
        try
        {
            Check(fd, endpoint);
            int port = Prepare(fd, endpoint);
            bound = endpoint with { LocalPort = port };
            return fd;
        }
        catch
        {
            if (fd >= 0)
            {
                _ = Unistd.close(fd);
            }

            throw;
        }
    }

    /// <summary>Binds and connects; returns the local port.</summary>
    private static int Prepare(int fd, UdpEndpoint endpoint)
    {
        Check(TcpOptions.Set(fd, Socket.SOL_SOCKET, Socket.SO_REUSEADDR, 1), endpoint);
        if (endpoint.Interface is not null)
        {
            Check(TcpOptions.BindToInterface(fd, endpoint.Interface), endpoint);
        }

        Check(SourceFilter.Attach(fd, endpoint.RemoteAddress, endpoint.RemotePort), endpoint);
        byte* address = stackalloc byte[(int)KernelAddress.MaxBytes];
        uint length = KernelAddress.Encode(endpoint.LocalAddress, endpoint.LocalPort, address);
        Check(Negative(Socket.bind(fd, address, length)), endpoint);
        length = KernelAddress.Encode(endpoint.RemoteAddress, endpoint.RemotePort, address);
        Check(Negative(Socket.connect(fd, address, length)), endpoint);
        length = KernelAddress.MaxBytes;
        Check(Negative(Socket.getsockname(fd, address, &length)), endpoint);
        return KernelAddress.Decode(address)!.Port;
    }

    private static int Negative(int result) => result >= 0 ? result : -LinuxError.Last;

    private static void Check(int result, UdpEndpoint endpoint)
    {
        if (result < 0)
        {
            string remedy = -result switch
            {
                Errno.EADDRINUSE => " Another socket, which does not share it, has that port.",
                Errno.EADDRNOTAVAIL => " No interface of this host has that address.",
                Errno.ENETUNREACH => " There is no route to the remote address.",
                LinuxError.ENODEV => " There is no such network interface.",
                Errno.EACCES or Errno.EPERM => " The process lacks the right to it.",
                _ => "",
            };
            throw new IOException(
                $"Cannot open UDP {KernelAddress.Describe(endpoint)}: {LinuxError.Text(-result)}.{remedy}",
                -result);
        }
    }
}
