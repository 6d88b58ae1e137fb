using System.Text;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux;

/// <summary>
/// Tells systemd how the service is doing: one datagram to the socket named by NOTIFY_SOCKET (sd_notify(3)).
/// Without a service manager each call does nothing and returns false.
/// </summary>
public static unsafe class ServiceManagerNotify
{
    private const string SocketVariable = "NOTIFY_SOCKET";

    /// <summary>The service has started up and serves.</summary>
    public static bool Ready() => Send("READY=1");

    /// <summary>The service has begun to stop.</summary>
    public static bool Stopping() => Send("STOPPING=1");

    /// <summary>The service lives; never waits for the service manager. To be repeated within half the time that WatchdogSec= sets.</summary>
    public static bool Alive() => Send("WATCHDOG=1", Socket.MSG_DONTWAIT);

    /// <summary>One line for 'systemctl status'.</summary>
    public static bool Status(string line) => Send($"STATUS={line.ReplaceLineEndings(" ")}");

    private static bool Send(string state, int flags = 0)
    {
        string? path = Environment.GetEnvironmentVariable(SocketVariable);
        if (string.IsNullOrEmpty(path) || Encoding.UTF8.GetByteCount(path) > KernelAddress.MaxPathBytes)
        {
            return false;
        }

        byte* address = stackalloc byte[(int)KernelAddress.MaxBytes];
        uint length = KernelAddress.Encode(new UnixEndpoint(path), address);
        if (path[0] == '@')
        {
            // An abstract socket: a zero byte instead of the @, and no closing zero.
            ((sockaddr_un*)address)->sun_path[0] = 0;
            length--;
        }

        int fd = Socket.socket(Socket.AF_UNIX, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            return false;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(state);
        fixed (byte* data = bytes)
        {
            nint sent = Socket.sendto(fd, data, (nuint)bytes.Length, Socket.MSG_NOSIGNAL | flags, address, length);
            _ = Unistd.close(fd);
            return sent == bytes.Length;
        }
    }
}
