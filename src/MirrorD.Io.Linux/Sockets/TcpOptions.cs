using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>Options of every TCP socket of MirrorD.</summary>
internal static unsafe class TcpOptions
{
    /// <summary>
    /// An idle connection is probed after this long, so that a dead peer is noticed without traffic.
    /// </summary>
    public const int KeepAliveIdleSeconds = 5;

    /// <summary>Time between two probes.</summary>
    public const int KeepAliveIntervalSeconds = 5;

    /// <summary>Unanswered probes after which the connection fails.</summary>
    public const int KeepAliveProbes = 3;

    /// <summary>
    /// Sent data that stays unacknowledged for this long fails the connection with ETIMEDOUT.
    /// </summary>
    public const int UserTimeoutMs = 20_000;

    /// <summary>No delay, keep-alive and user timeout. Returns 0 or a negative errno.</summary>
    public static int Set(int fd)
    {
        int error = Set(fd, NetinetIn.IPPROTO_TCP, Tcp.TCP_NODELAY, 1);
        error = error != 0 ? error : Set(fd, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE, 1);
        error = error != 0 ? error : Set(fd, NetinetIn.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, KeepAliveIdleSeconds);
        error = error != 0 ? error
            : Set(fd, NetinetIn.IPPROTO_TCP, Tcp.TCP_KEEPINTVL, KeepAliveIntervalSeconds);
        error = error != 0 ? error : Set(fd, NetinetIn.IPPROTO_TCP, Tcp.TCP_KEEPCNT, KeepAliveProbes);
        return error != 0 ? error : Set(fd, NetinetIn.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT, UserTimeoutMs);
    }

    /// <summary>All traffic of the socket uses this interface. Returns 0 or a negative errno.</summary>
    public static int BindToInterface(int fd, string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        fixed (byte* value = bytes)
        {
            uint length = (uint)bytes.Length;
            return Socket.setsockopt(fd, Socket.SOL_SOCKET, Socket.SO_BINDTODEVICE, value, length) == 0
                ? 0
                : -LinuxError.Last;
        }
    }

    /// <summary>Sets one option. Returns 0 or a negative errno.</summary>
    public static int Set(int fd, int level, int option, int value) =>
        Socket.setsockopt(fd, level, option, &value, sizeof(int)) == 0 ? 0 : -LinuxError.Last;
}
