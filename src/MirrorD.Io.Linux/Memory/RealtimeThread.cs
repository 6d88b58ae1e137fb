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
    private const int RaisedPriority = 1;
    private const int KeptPriority = 2;

    /// <summary>Number of the calling thread, as the kernel counts.</summary>
    public static int Current => Sched.gettid();

    /// <summary>Whether it is there and has the priority that threads have by themselves.</summary>
    public static bool IsOrdinary(int thread) => Policy(thread) == Sched.SCHED_OTHER;

    /// <summary>Whether it has its priority by <see cref="Raise"/>.</summary>
    public static bool IsRaised(int thread) => Policy(thread) == Sched.SCHED_RR
        && Sched.sched_getparam(thread, out Sched.sched_param parameters) == 0 && parameters.sched_priority == RaisedPriority;

    /// <summary>
    /// The calling thread takes real-time priority for good. What it starts has ordinary priority; so for the others.
    /// </summary>
    /// <returns>Null, or why not: a clause with the remedy.</returns>
    public static string? Keep() => Set(Current, Sched.SCHED_RR, KeptPriority);

    /// <summary>A thread of this process takes the lowest real-time priority.</summary>
    /// <returns>Null, also for a thread that has ended; or why not: a clause with the remedy.</returns>
    public static string? Raise(int thread) => Set(thread, Sched.SCHED_RR, RaisedPriority);

    /// <summary>A thread has ordinary priority again.</summary>
    /// <returns>As of <see cref="Raise"/>.</returns>
    public static string? Lower(int thread) => Set(thread, Sched.SCHED_OTHER, 0);

    private static int Policy(int thread) => Sched.sched_getscheduler(thread) & ~Sched.SCHED_RESET_ON_FORK;

    private static string? Set(int thread, int policy, int priority)
    {
        // Once set, the flag can be given back only with a capability.
        if (Sched.sched_setscheduler(
            thread, policy | Sched.SCHED_RESET_ON_FORK, new Sched.sched_param { sched_priority = priority }) == 0)
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
