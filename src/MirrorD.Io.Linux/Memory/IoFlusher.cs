using System.Runtime.InteropServices;
using System.Text;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Memory;

/// <summary>
/// Makes this process one that the kernel writes dirty pages through (PR_SET_IO_FLUSHER, prctl(2)): its own requests for
/// memory then never wait for dirty pages to be written, which would be a wait for itself.
/// </summary>
public static unsafe class IoFlusher
{
    private const string Self = "/proc/self/exe";
    private const string CommandLine = "/proc/self/cmdline";

    /// <summary>
    /// The kernel keeps the mark for each thread and hands it to new ones, and over execve(2). The runtime has threads
    /// before any of this program's code runs: so the program is started anew, once, with the same process id. To be
    /// called before anything else is done.
    /// </summary>
    /// <returns>
    /// Null: every thread of this process is marked. Else why not, a clause with the remedy. Does not return when the
    /// program starts anew.
    /// </returns>
    public static string? Become()
    {
        if (Prctl.prctl(Prctl.PR_GET_IO_FLUSHER, 0, 0, 0, 0) == 1)
        {
            return null;
        }

        if (Prctl.prctl(Prctl.PR_SET_IO_FLUSHER, 1, 0, 0, 0) != 0)
        {
            int error = LinuxError.Last;
            string remedy = error == Errno.EPERM ? ": grant the capability CAP_SYS_RESOURCE"
                : error == Errno.EINVAL ? ": it needs Linux 5.6" : "";
            return $"the kernel does not take it for what writes its dirty pages ({LinuxError.Text(error)}){remedy}";
        }

        if (Prctl.prctl(Prctl.PR_GET_IO_FLUSHER, 0, 0, 0, 0) != 1)
        {
            // Started anew, it would do so for ever.
            return "the kernel accepts and forgets that it is what writes its dirty pages: a sandbox, it seems";
        }

        return $"the program could not be started anew ({LinuxError.Text(StartAnew())})";
    }

    /// <summary>By its own name, which is what ps(1) and the kernel's messages show; by the link once the file is replaced.</summary>
    private static string Program() =>
        File.ResolveLinkTarget(Self, returnFinalTarget: false) is { Exists: true } file ? file.FullName : Self;

    private static int StartAnew()
    {
        byte[] arguments;
        try
        {
            arguments = File.ReadAllBytes(CommandLine);
        }
        catch (IOException)
        {
            return Errno.EIO;
        }

        // Each argument ends with a zero byte, also the last one.
        int count = arguments.AsSpan().Count((byte)0);
        byte** pointers = (byte**)NativeMemory.AllocZeroed((nuint)count + 1, (nuint)sizeof(byte*));
        fixed (byte* first = arguments)
        fixed (byte* program = Encoding.UTF8.GetBytes(Program() + '\0'))
        {
            for (int i = 0, offset = 0; i < count; i++)
            {
                pointers[i] = first + offset;
                offset += arguments.AsSpan(offset).IndexOf((byte)0) + 1;
            }

            // Returns only on failure.
            _ = Unistd.execv(program, pointers);
        }

        int error = LinuxError.Last;
        NativeMemory.Free(pointers);
        return error;
    }
}
