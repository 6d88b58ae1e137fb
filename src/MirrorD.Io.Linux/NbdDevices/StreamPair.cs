using Microsoft.Win32.SafeHandles;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Network;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>
/// The connection between this process and the kernel's nbd driver: two connected stream sockets of AF_UNIX.
/// Unlike TCP on loopback they need no network memory while the machine is short of memory.
/// </summary>
public sealed unsafe class StreamPair : IDisposable
{
    /// <summary>
    /// What one end may have sent that the other has not taken yet: a few of the largest requests, so that
    /// neither side waits for the other at every message.
    /// </summary>
    public const int DefaultBufferBytes = 4 * 1024 * 1024;

    private StreamPair(int daemonEnd, int kernelEnd)
    {
        DaemonEnd = new SafeFileHandle(daemonEnd, ownsHandle: true);
        KernelEnd = new SafeFileHandle(kernelEnd, ownsHandle: true);
    }

    /// <summary>This process's end, for <see cref="LinuxLoop.Adopt"/>.</summary>
    public SafeFileHandle DaemonEnd { get; }

    /// <summary>
    /// The end that the kernel is given. It keeps a reference of its own: close this one afterwards, else the
    /// daemon's end never hears that the kernel let go of it.
    /// </summary>
    public SafeFileHandle KernelEnd { get; }

    /// <summary>Null, or why the buffers are smaller than asked for.</summary>
    public string? Warning { get; private init; }

    /// <summary>Opens a pair; both ends are closed on exec.</summary>
    /// <param name="bufferBytes">Size of the send buffer of each end.</param>
    /// <exception cref="IOException">No sockets are left.</exception>
    public static StreamPair Open(int bufferBytes = DefaultBufferBytes)
    {
        int* fds = stackalloc int[2];
        if (Socket.socketpair(Socket.AF_UNIX, Socket.SOCK_STREAM | Socket.SOCK_CLOEXEC, 0, fds) != 0)
        {
            throw LinuxError.Exception("No pair of sockets for a block device", LinuxError.Last);
        }

        string? warning = SetBuffer(fds[0], bufferBytes);
        return new StreamPair(fds[0], fds[1]) { Warning = SetBuffer(fds[1], bufferBytes) ?? warning };
    }

    /// <summary>
    /// Somebody still holds the kernel's end: the kernel, this process, or a program that it is just starting. Asked while
    /// nobody has taken over the daemon's end.
    /// </summary>
    public bool IsOtherEndOpen()
    {
        ObjectDisposedException.ThrowIf(DaemonEnd.IsClosed || DaemonEnd.IsInvalid, DaemonEnd);
        Span<pollfd> end = [new() { fd = (int)DaemonEnd.DangerousGetHandle(), events = Poll.POLLRDHUP }];
        WakeSignal.Poll(end, timeoutMs: 0);
        return (end[0].revents & (Poll.POLLHUP | Poll.POLLRDHUP)) == 0;
    }

    /// <summary>Closes the ends that nobody has taken over.</summary>
    public void Dispose()
    {
        DaemonEnd.Dispose();
        KernelEnd.Dispose();
    }

    private static string? SetBuffer(int fd, int bytes)
    {
        int error = TcpOptions.Set(fd, Socket.SOL_SOCKET, Socket.SO_SNDBUFFORCE, bytes);
        if (error == 0)
        {
            return null;
        }

        // Without CAP_NET_ADMIN: what net.core.wmem_max allows.
        TcpOptions.Set(fd, Socket.SOL_SOCKET, Socket.SO_SNDBUF, bytes);
        int actual;
        uint length = sizeof(int);
        _ = Socket.getsockopt(fd, Socket.SOL_SOCKET, Socket.SO_SNDBUF, &actual, &length);
        return actual / 2 >= bytes ? null // The kernel tells twice of what was set (socket(7)).
            : $"A socket to the kernel has a send buffer of {actual / 2} bytes instead of {bytes} " +
              $"({LinuxError.Text(-error)}): grant CAP_NET_ADMIN or raise net.core.wmem_max.";
    }
}
