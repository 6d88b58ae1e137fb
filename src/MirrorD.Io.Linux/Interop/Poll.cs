using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>poll.h.</summary>
[CHeader("poll.h")]
internal static unsafe partial class Poll
{
    public const short POLLIN = 0x001;
    public const short POLLHUP = 0x010;
    public const short POLLRDHUP = 0x2000;

    /// <summary>Number of descriptors with something to tell; 0 after the time, negative: errno.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(pollfd* descriptors, nuint count, int timeoutMs);
}

[CHeader("poll.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct pollfd
{
    public int fd;
    public short events;
    public short revents;
}
