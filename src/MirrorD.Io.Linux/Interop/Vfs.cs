using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>sys/vfs.h and linux/magic.h.</summary>
[CHeader("sys/vfs.h", "linux/magic.h")]
internal static unsafe partial class Vfs
{
    public const int TMPFS_MAGIC = 0x01021994;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fstatfs(int fd, statfs* found);
}

/// <summary>What is not read of it is left out.</summary>
[CHeader("sys/vfs.h")]
[StructLayout(LayoutKind.Sequential, Size = 120)]
internal struct statfs
{
    public nint f_type;
}
