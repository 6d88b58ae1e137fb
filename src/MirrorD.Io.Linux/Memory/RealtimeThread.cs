using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Memory;

/// <summary>
/// Real-time priority of a thread (SCHED_RR, sched(7)). The kernel lets such a thread use part of the memory that it keeps in
/// reserve (gfp_to_alloc_flags in mm/page_alloc.c): what carries dirty pages away must get the pages that sending takes when
/// nobody else gets any. But it also runs before whoever wakes it has told all: with many requests under way each one is then
/// handled for itself.
/// </summary>
public static class RealtimeThread
{
    /// <summary>Number of the calling thread, as the kernel counts.</summary>
    public static int Current => Sched.gettid();

    /// <summary>Whether it is there and has the priority that threads have by themselves.</summary>
    public static bool IsOrdinary(int thread) =>
        (Sched.sched_getscheduler(thread) & ~Sched.SCHED_RESET_ON_FORK) == Sched.SCHED_OTHER;

    /// <summary>
    /// Takes the lowest real-time priority for a thread of this process, or gives it back. Threads and processes that it
    /// starts are ordinary ones.
    /// </summary>
    /// <returns>Null, also for a thread that has ended; or why not: a clause with the remedy.</returns>
    public static string? Change(int thread, bool isRealtime)
    {
        var priority = new Sched.sched_param { sched_priority = isRealtime ? 1 : 0 };
        int policy = isRealtime ? Sched.SCHED_RR | Sched.SCHED_RESET_ON_FORK : Sched.SCHED_OTHER;
        if (Sched.sched_setscheduler(thread, policy, priority) == 0)
        {
            return null;
        }

        int error = LinuxError.Last;
        if (error == Errno.ESRCH)
        {
            return null;
        }

        string remedy = error == Errno.EPERM ? ": grant CAP_SYS_NICE, and leave RestrictRealtime= out of its unit" : "";
        return $"its threads get no real-time priority ({LinuxError.Text(error)}){remedy}";
    }
}
