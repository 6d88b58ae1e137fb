using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>sys/uio.h.</summary>
[CHeader("sys/uio.h")]
internal static unsafe partial class Uio
{
    [LibraryImport("libc", SetLastError = true)]
    public static partial nint pwritev2(int fd, iovec* pieces, int count, long offset, int flags);
}

[CHeader("sys/uio.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct iovec
{
    public nint iov_base;
    public nuint iov_len;
}
