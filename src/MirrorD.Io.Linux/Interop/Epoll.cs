using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>sys/epoll.h.</summary>
[CHeader("sys/epoll.h")]
internal static unsafe partial class EpollCalls
{
    public const int EPOLL_CLOEXEC = 0x80000;
    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;

    public const uint EPOLLIN = 0x001;
    public const uint EPOLLOUT = 0x004;
    public const uint EPOLLERR = 0x008;
    public const uint EPOLLHUP = 0x010;
    public const uint EPOLLRDHUP = 0x2000;
    public const uint EPOLLET = 1u << 31;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_ctl(int set, int operation, int fd, void* registration);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(int set, void* events, int count, int timeoutMs);
}

/// <summary>On x86-64, where the kernel packs it; elsewhere the data lies at 8. See EventMemory.</summary>
[CHeader("sys/epoll.h")]
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct epoll_event
{
    public uint events;
    public ulong data;
}
