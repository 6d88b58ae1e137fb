using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux;

/// <summary>Errors of system calls, as exceptions that name the cause.</summary>
internal static class LinuxError
{
    // Numbers that the loop contract does not carry (asm-generic/errno.h).
    public const int EINTR = 4;
    public const int ENXIO = 6;
    public const int ENODEV = 19;
    public const int ENOTTY = 25;
    public const int ERANGE = 34;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ETIME = 62;
    public const int ENOBUFS = 105;
    public const int ECONNABORTED = 103;
    public const int EINPROGRESS = 115;

    /// <summary>Errno of the last system call of this thread.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>Text of an errno with its number.</summary>
    public static string Text(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";

    /// <summary>An exception of the form "what failed: errno text".</summary>
    public static IOException Exception(string failed, int errno) => new($"{failed}: {Text(errno)}", errno);
}
