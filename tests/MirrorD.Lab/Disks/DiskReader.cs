using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MirrorD.Lab.Disks;

/// <summary>
/// Looks at a backing disk while its daemon has it. FileStream can't: it takes a shared flock(2), and the daemon holds
/// an exclusive one.
/// </summary>
public static class DiskReader
{
    private const int ReadOnlyCloseOnExec = 0x80000;

    /// <summary>Reads bytes from the beginning.</summary>
    public static void Read(string path, Span<byte> into)
    {
        using var handle = new SafeFileHandle(Open(path, ReadOnlyCloseOnExec), ownsHandle: true);
        if (handle.IsInvalid)
        {
            throw new IOException($"{path}: errno {Marshal.GetLastPInvokeError()}");
        }

        int got = RandomAccess.Read(handle, into, 0);
        if (got < into.Length)
        {
            throw new EndOfStreamException($"{path}: {got} bytes instead of {into.Length}");
        }
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(string path, int flags);
}
