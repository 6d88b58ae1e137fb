using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>time.h.</summary>
[CHeader("time.h")]
internal static unsafe partial class Clock
{
    public const int CLOCK_BOOTTIME = 7;

    /// <summary>Nanoseconds of CLOCK_BOOTTIME: monotonic, goes on while the machine is suspended.</summary>
    public static long BootTimeNs
    {
        get
        {
            timespec now;
            _ = clock_gettime(CLOCK_BOOTTIME, &now);
            return (now.tv_sec * 1_000_000_000) + now.tv_nsec;
        }
    }

    // Answered by the vDSO without entering the kernel: it can't block.
    [LibraryImport("libc"), SuppressGCTransition]
    private static partial int clock_gettime(int clock, timespec* now);
}


[CHeader("time.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct timespec
{
    public long tv_sec;
    public long tv_nsec;
}
