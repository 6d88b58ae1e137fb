using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>
/// linux/stat.h: statx(2), the only call that tells what direct I/O to a file must be aligned to.
/// </summary>
[CHeader("linux/stat.h")]
internal static unsafe partial class Stat
{
    public const uint STATX_BASIC_STATS = 0x7ff;
    [CSince(6, 1)] public const uint STATX_DIOALIGN = 0x2000;

    public const int S_IFMT = 0xf000;
    public const int S_IFSOCK = 0xc000;
    public const int S_IFBLK = 0x6000;
    public const int S_IFREG = 0x8000;

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int statx(int directory, string path, int flags, uint mask, statx* result);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fchmod(int fd, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int chmod(string path, uint mode);
}

/// <summary>linux/fcntl.h: what statx(2) starts from.</summary>
[CHeader("linux/fcntl.h")]
internal static class At
{
    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_EMPTY_PATH = 0x1000;

    /// <summary>A file system over a network answers from what it knows.</summary>
    public const int AT_STATX_DONT_SYNC = 0x4000;
}


[CHeader("linux/stat.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct statx_timestamp
{
    public long tv_sec;
    public uint tv_nsec;
    [CName(null)] public int reserved;
}

[CHeader("linux/stat.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct statx
{
    public uint stx_mask;
    public uint stx_blksize;
    public ulong stx_attributes;
    public uint stx_nlink;
    public uint stx_uid;
    public uint stx_gid;
    public ushort stx_mode;
    [CName(null)] public ushort spare0;
    public ulong stx_ino;
    public ulong stx_size;
    public ulong stx_blocks;
    public ulong stx_attributes_mask;
    public statx_timestamp stx_atime;
    public statx_timestamp stx_btime;
    public statx_timestamp stx_ctime;
    public statx_timestamp stx_mtime;
    public uint stx_rdev_major;
    public uint stx_rdev_minor;
    public uint stx_dev_major;
    public uint stx_dev_minor;
    public ulong stx_mnt_id;
    [CSince(6, 1)] public uint stx_dio_mem_align;
    [CSince(6, 1)] public uint stx_dio_offset_align;
    [CName(null)] public fixed ulong spare3[12];
}
