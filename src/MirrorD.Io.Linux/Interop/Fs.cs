using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/fs.h: requests of block devices and flags of one read or write.</summary>
[CHeader("linux/fs.h")]
internal static unsafe partial class Fs
{
    public const uint BLKDISCARD = 0x1277;
    public const uint BLKSSZGET = 0x1268;
    public const uint BLKGETSIZE64 = 0x80081272;
    public const uint FICLONE = 0x40049409;
    public const uint FICLONERANGE = 0x4020940D;

    /// <summary>This write is on stable storage before it completes.</summary>
    public const int RWF_DSYNC = 0x02;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(int fd, nuint request, void* argument);
}

/// <summary>Of FICLONERANGE; a length of 0 means to the end.</summary>
[CHeader("linux/fs.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct file_clone_range
{
    public long src_fd;
    public ulong src_offset;
    public ulong src_length;
    public ulong dest_offset;
}
