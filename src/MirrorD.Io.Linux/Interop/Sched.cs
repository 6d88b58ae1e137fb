using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>sched.h, and gettid(2) of unistd.h.</summary>
[CHeader("sched.h", "unistd.h")]
internal static partial class Sched
{
    public const int SCHED_OTHER = 0;
    public const int SCHED_RR = 2;
    public const int SCHED_RESET_ON_FORK = 0x40000000;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int sched_setscheduler(int thread, int policy, in sched_param parameters);

    [LibraryImport("libc")]
    public static partial int sched_getscheduler(int thread);

    [LibraryImport("libc")]
    public static partial int sched_getparam(int thread, out sched_param parameters);

    [LibraryImport("libc")]
    public static partial int gettid();

    /// <summary>struct sched_param.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct sched_param
    {
        public int sched_priority;
    }
}
