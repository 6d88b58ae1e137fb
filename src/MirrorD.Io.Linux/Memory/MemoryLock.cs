using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Memory;

/// <summary>
/// Keeps the memory of this process from being swapped out or dropped (mlockall(2)). What serves a block device must not
/// have to read its own program from a disk that waits for it.
/// </summary>
public static class MemoryLock
{
    /// <summary>
    /// Locks what is there, and whatever is touched later. What was only reserved, as the runtime does generously, costs
    /// nothing until then.
    /// </summary>
    /// <returns>Null, or why not: a clause with the remedy.</returns>
    public static string? LockAll()
    {
        if (Mman.mlockall(Mman.MCL_CURRENT | Mman.MCL_FUTURE | Mman.MCL_ONFAULT) == 0)
        {
            return null;
        }

        int error = LinuxError.Last;
        string remedy = error is Errno.ENOMEM or Errno.EPERM or Errno.EAGAIN
            ? ": raise the limit of locked memory (LimitMEMLOCK=infinity, ulimit -l unlimited)" : "";
        return $"its memory is not locked ({LinuxError.Text(error)}){remedy}";
    }
}
