using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>
/// Opens stream sockets, in blocking mode: io_uring waits in its own way, and the loop on epoll changes that.
/// </summary>
internal static unsafe class SocketFactory
{
    private const int Backlog = 128;

    /// <summary>A socket ready to connect, or a negative errno.</summary>
    public static int OpenForConnect(Endpoint endpoint)
    {
        if (endpoint is UnixEndpoint unix && !IsPathShortEnough(unix))
        {
            return -LinuxError.ENAMETOOLONG;
        }

        int fd = Open(endpoint);
        if (fd < 0)
        {
            return fd;
        }

        int error = endpoint is TcpEndpoint tcp ? PrepareTcp(fd, tcp) : 0;
        if (error != 0)
        {
            _ = Unistd.close(fd);
            return error;
        }

        return fd;
    }

    /// <summary>A listening socket; throws <see cref="IOException"/> that names endpoint and cause.</summary>
    /// <param name="endpoint">Where to listen.</param>
    /// <param name="bound">The same with the port that was chosen for port 0.</param>
    /// <param name="file">The socket's file when it is a unix socket.</param>
    public static int Listen(Endpoint endpoint, out Endpoint bound, out UnixSocketFile? file)
    {
        int fd = Open(endpoint);
        try
        {
            Check(fd, endpoint);
            file = null;
            switch (endpoint)
            {
                case UnixEndpoint unix:
                    file = ListenUnix(fd, unix);
                    bound = unix;
                    break;
                case TcpEndpoint tcp:
                    bound = ListenTcp(fd, tcp);
                    break;
                default:
                    throw new ArgumentException($"Unknown endpoint {endpoint}.", nameof(endpoint));
            }

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

    /// <summary>The path fits a socket address.</summary>
    public static bool IsPathShortEnough(UnixEndpoint endpoint) =>
        Encoding.UTF8.GetByteCount(endpoint.Path) is > 0 and <= KernelAddress.MaxPathBytes;

    private static int Open(Endpoint endpoint)
    {
        int fd = Socket.socket(KernelAddress.Family(endpoint), Socket.SOCK_STREAM | Socket.SOCK_CLOEXEC, 0);
        return fd >= 0 ? fd : -LinuxError.Last;
    }

    private static int PrepareTcp(int fd, TcpEndpoint endpoint)
    {
        int error = TcpOptions.Set(fd);
        if (error == 0 && endpoint.Interface is not null)
        {
            error = TcpOptions.BindToInterface(fd, endpoint.Interface);
        }

        if (error == 0 && endpoint.LocalAddress is not null)
        {
            byte* address = stackalloc byte[(int)KernelAddress.MaxBytes];
            uint length = KernelAddress.Encode(endpoint.LocalAddress, 0, address);
            error = Socket.bind(fd, address, length) == 0 ? 0 : -LinuxError.Last;
        }

        return error;
    }

    private static UnixSocketFile ListenUnix(int fd, UnixEndpoint endpoint)
    {
        if (!IsPathShortEnough(endpoint))
        {
            throw new IOException($"Cannot listen on {endpoint.Path}: the path of a unix socket has 1 to " +
                $"{KernelAddress.MaxPathBytes} bytes, this one {Encoding.UTF8.GetByteCount(endpoint.Path)}.");
        }

        UnixSocketFile.RemoveIfStale(endpoint);
        byte* address = stackalloc byte[(int)KernelAddress.MaxBytes];
        uint length = KernelAddress.Encode(endpoint, address);

        // The mode of the socket becomes the mode of the file, less the umask: at no instant is it wider.
        Check(Negative(Stat.fchmod(fd, UnixSocketFile.Mode)), endpoint);
        Check(Negative(Socket.bind(fd, address, length)), endpoint);
        var file = new UnixSocketFile(endpoint.Path);
        try
        {
            Check(Negative(Stat.chmod(endpoint.Path, UnixSocketFile.Mode)), endpoint);
            Check(Negative(Socket.listen(fd, Backlog)), endpoint);
            return file;
        }
        catch
        {
            file.RemoveIfOurs();
            throw;
        }
    }

    private static TcpEndpoint ListenTcp(int fd, TcpEndpoint endpoint)
    {
        Check(TcpOptions.Set(fd, Socket.SOL_SOCKET, Socket.SO_REUSEADDR, 1), endpoint);
        if (KernelAddress.Family(endpoint) == Socket.AF_INET6)
        {
            Check(TcpOptions.Set(fd, NetinetIn.IPPROTO_IPV6, NetinetIn.IPV6_V6ONLY, 1), endpoint);
        }

        if (endpoint.IsAwaited)
        {
            Check(KernelAddress.Family(endpoint) == Socket.AF_INET6
                ? TcpOptions.Set(fd, NetinetIn.IPPROTO_IPV6, NetinetIn.IPV6_FREEBIND, 1)
                : TcpOptions.Set(fd, NetinetIn.IPPROTO_IP, NetinetIn.IP_FREEBIND, 1), endpoint);
        }

        // Accepted sockets inherit these.
        Check(TcpOptions.Set(fd), endpoint);
        if (endpoint.Interface is not null)
        {
            Check(TcpOptions.BindToInterface(fd, endpoint.Interface), endpoint);
        }

        byte* address = stackalloc byte[(int)KernelAddress.MaxBytes];
        uint length = KernelAddress.Encode(endpoint, address);
        Check(Negative(Socket.bind(fd, address, length)), endpoint);
        Check(Negative(Socket.listen(fd, Backlog)), endpoint);
        length = KernelAddress.MaxBytes;
        Check(Negative(Socket.getsockname(fd, address, &length)), endpoint);
        return endpoint with { Port = KernelAddress.Decode(address)!.Port };
    }

    private static int Negative(int result) => result >= 0 ? result : -LinuxError.Last;

    private static void Check(int result, Endpoint endpoint)
    {
        if (result < 0)
        {
            string remedy = -result switch
            {
                Errno.EADDRINUSE => " Another process listens there.",
                Errno.EADDRNOTAVAIL => " No interface of this host has that address.",
                LinuxError.ENODEV => " There is no such network interface.",
                Errno.EACCES or Errno.EPERM => " The process lacks the right to it.",
                _ => "",
            };
            string place = KernelAddress.Describe(endpoint);
            throw new IOException(
                $"Cannot listen on {place}: {LinuxError.Text(-result)}.{remedy}", -result);
        }
    }
}
