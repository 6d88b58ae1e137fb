using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>sys/timerfd.h.</summary>
[CHeader("sys/timerfd.h")]
internal static unsafe partial class TimerFd
{
    public const int TFD_CLOEXEC = 0x80000;
    public const int TFD_NONBLOCK = 0x800;
    public const int TFD_TIMER_ABSTIME = 1;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int timerfd_create(int clock, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int timerfd_settime(int fd, int flags, itimerspec* value, itimerspec* former);
}

[CHeader("sys/timerfd.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct itimerspec
{
    [CName("it_interval.tv_sec")] public long interval_sec;
    [CName("it_interval.tv_nsec")] public long interval_nsec;
    [CName("it_value.tv_sec")] public long value_sec;
    [CName("it_value.tv_nsec")] public long value_nsec;
}
