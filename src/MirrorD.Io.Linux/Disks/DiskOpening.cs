using System.Globalization;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Disks;

/// <summary>Opens disks and finds out what they are like.</summary>
internal static unsafe class DiskOpening
{
    private const int SmallestBlockBytes = 512;
    private const int LargestBlockBytes = 4096;

    /// <summary>See <see cref="LinuxDisk.Open"/>; returns the descriptor.</summary>
    public static int Open(string path, bool isWritable, bool isExclusive, out DiskGeometry geometry)
    {
        statx found;
        if (Stat.statx(At.AT_FDCWD, path, 0, Stat.STATX_BASIC_STATS, &found) != 0)
        {
            throw LinuxError.Exception($"Cannot open {path}", LinuxError.Last);
        }

        bool isBlockDevice = (found.stx_mode & Stat.S_IFMT) == Stat.S_IFBLK;
        if (!isBlockDevice && (found.stx_mode & Stat.S_IFMT) != Stat.S_IFREG)
        {
            throw new IOException($"Cannot open {path}: it is neither a block device nor a regular file.");
        }

        int flags = (isWritable ? Fcntl.O_RDWR : Fcntl.O_RDONLY) | Fcntl.O_CLOEXEC | Fcntl.O_DIRECT;
        int fd = Fcntl.open(path, flags | (isBlockDevice && isExclusive ? Fcntl.O_EXCL : 0), 0);
        if (fd < 0)
        {
            int error = LinuxError.Last;
            throw new IOException($"Cannot open {path}: {LinuxError.Text(error)}.{Remedy(error)}", error);
        }

        try
        {
            if (!isBlockDevice && isExclusive && Fcntl.flock(fd, Fcntl.LOCK_EX | Fcntl.LOCK_NB) != 0)
            {
                throw new IOException($"Cannot open {path}: it is in use by another process.", Errno.EBUSY);
            }

            geometry = isBlockDevice ? DeviceGeometry(fd, path) : FileGeometry(fd, path, isWritable);
            return fd;
        }
        catch
        {
            _ = Unistd.close(fd);
            throw;
        }
    }

    /// <summary>Its present size in whole blocks; null when it can't be told.</summary>
    public static long? LengthOf(int fd, bool isBlockDevice, int blockBytes)
    {
        statx found = default;
        ulong deviceBytes = 0;
        bool isTold = isBlockDevice ? Fs.ioctl(fd, Fs.BLKGETSIZE64, &deviceBytes) == 0
            : Stat.statx(fd, "", At.AT_EMPTY_PATH, Stat.STATX_BASIC_STATS, &found) == 0;
        long lengthBytes = isBlockDevice ? (long)deviceBytes : (long)found.stx_size;
        return isTold ? lengthBytes - (lengthBytes % blockBytes) : null;
    }

    private static string Remedy(int errno) => errno switch
    {
        Errno.EINVAL => " Its file system has no direct I/O (O_DIRECT): use ext4 or xfs, or a block device.",
        Errno.EBUSY => " It is in use: mounted, part of LVM or RAID, or opened by another process.",
        Errno.EACCES or Errno.EPERM => " The process lacks the right to it.",
        _ => "",
    };

    private static DiskGeometry DeviceGeometry(int fd, string path)
    {
        ulong lengthBytes;
        int blockBytes;
        if (Fs.ioctl(fd, Fs.BLKGETSIZE64, &lengthBytes) != 0 || Fs.ioctl(fd, Fs.BLKSSZGET, &blockBytes) != 0)
        {
            throw LinuxError.Exception($"Cannot tell the size of {path}", LinuxError.Last);
        }

        statx found;
        bool isKnown = Stat.statx(fd, "", At.AT_EMPTY_PATH, Stat.STATX_BASIC_STATS, &found) == 0;
        (uint major, uint minor) = (found.stx_rdev_major, found.stx_rdev_minor);
        bool Has(string limit) => isKnown && LimitBytes(major, minor, limit) > 0;
        bool canDiscard = Has("discard_max_bytes");

        // Some discard but don't zero (thin LVM, many SATA disks): there the kernel writes zeroes out.
        bool unmapsZeroes = canDiscard && Has("write_zeroes_max_bytes");
        return Geometry(path, true, (long)lengthBytes, blockBytes, canDiscard, unmapsZeroes, isInMemory: false);
    }

    private static DiskGeometry FileGeometry(int fd, string path, bool isWritable)
    {
        statx found;
        const uint mask = Stat.STATX_BASIC_STATS | Stat.STATX_DIOALIGN;
        if (Stat.statx(fd, "", At.AT_EMPTY_PATH, mask, &found) != 0)
        {
            throw LinuxError.Exception($"Cannot tell the size of {path}", LinuxError.Last);
        }

        // Kernels before 6.1, and some file systems, don't tell.
        bool isTold = (found.stx_mask & Stat.STATX_DIOALIGN) != 0 && found.stx_dio_offset_align != 0;
        int blockBytes = isTold ? (int)found.stx_dio_offset_align : TryBlockBytes(fd);

        // Behind the end there is nothing to punch: this only asks whether the file system can do it.
        const int punch = Falloc.FALLOC_FL_PUNCH_HOLE | Falloc.FALLOC_FL_KEEP_SIZE;
        long lengthBytes = (long)found.stx_size;
        bool canDiscard = isWritable && Fcntl.fallocate(fd, punch, lengthBytes, LargestBlockBytes) == 0;
        statfs system;
        bool isInMemory = Vfs.fstatfs(fd, &system) == 0 && system.f_type == Vfs.TMPFS_MAGIC;
        return Geometry(path, false, lengthBytes, blockBytes, canDiscard, canDiscard, isInMemory);
    }

    private static DiskGeometry Geometry(
        string path, bool isBlockDevice, long lengthBytes, int blockBytes, bool canDiscard, bool unmapsZeroes,
        bool isInMemory)
    {
        blockBytes = int.Max(blockBytes, SmallestBlockBytes);
        if (blockBytes > LargestBlockBytes || !int.IsPow2(blockBytes))
        {
            throw new IOException(
                $"Cannot use {path}: its blocks of {blockBytes} bytes are larger than {LargestBlockBytes}.");
        }

        lengthBytes -= lengthBytes % blockBytes;
        return new DiskGeometry(isBlockDevice, lengthBytes, blockBytes, canDiscard, unmapsZeroes, isInMemory);
    }

    /// <summary>Finds out by reading: the smallest block, unless the disk below refuses it.</summary>
    internal static int TryBlockBytes(int fd)
    {
        using var buffer = new IoBuffer(SmallestBlockBytes);
        nint read = Unistd.pread(fd, (void*)buffer.Address, SmallestBlockBytes, 0);
        return read < 0 && LinuxError.Last == Errno.EINVAL ? LargestBlockBytes : SmallestBlockBytes;
    }

    /// <summary>A limit of the device's queue, as "discard_max_bytes"; 0 when it does not have it.</summary>
    private static long LimitBytes(uint major, uint minor, string name)
    {
        string link = $"/sys/dev/block/{major}:{minor}";
        string? device = Directory.ResolveLinkTarget(link, returnFinalTarget: true)?.FullName;
        foreach (string? directory in (ReadOnlySpan<string?>)[device, Path.GetDirectoryName(device)])
        {
            // A partition has no queue of its own, but that of the disk above it.
            string limit = $"{directory}/queue/{name}";
            if (File.Exists(limit))
            {
                return long.Parse(File.ReadAllText(limit).Trim(), CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }
}
