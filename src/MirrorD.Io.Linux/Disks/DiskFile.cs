using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Disks;

/// <summary>Makes preallocated files.</summary>
internal static class DiskFile
{
    private const int LengthMultipleBytes = 4096;
    private const uint Mode = 0x180; // 0600

    /// <summary>See <see cref="LinuxDisk.CreateFile"/>.</summary>
    public static void Create(string path, long lengthBytes)
    {
        if (lengthBytes <= 0 || lengthBytes % LengthMultipleBytes != 0)
        {
            throw new IOException(
                $"Cannot create {path}: {lengthBytes} bytes is not a multiple of {LengthMultipleBytes}.");
        }

        // Asked first, because a preallocation that fails has used up the last byte until it is undone.
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (Directory.Exists(directory) && new DriveInfo(directory).AvailableFreeSpace < lengthBytes)
        {
            throw new IOException(
                $"Cannot create {path}: the file system has no room for {lengthBytes} bytes.", Errno.ENOSPC);
        }

        const int flags = Fcntl.O_RDWR | Fcntl.O_CREAT | Fcntl.O_EXCL | Fcntl.O_CLOEXEC;
        int fd = Fcntl.open(path, flags, Mode);
        if (fd < 0)
        {
            throw LinuxError.Exception($"Cannot create {path}", LinuxError.Last);
        }

        int error = Fcntl.fallocate(fd, 0, 0, lengthBytes) == 0 ? 0 : LinuxError.Last;
        if (error == 0)
        {
            error = Unistd.fsync(fd) == 0 ? 0 : LinuxError.Last;
        }

        _ = Unistd.close(fd);
        if (error == 0)
        {
            error = Sync(directory);
        }

        if (error != 0)
        {
            _ = Unistd.unlink(path);
            string cause = error switch
            {
                Errno.ENOSPC => $" The file system has no room for {lengthBytes} bytes.",
                Errno.EOPNOTSUPP => " The file system can't preallocate: use ext4 or xfs.",
                _ => "",
            };
            throw new IOException($"Cannot create {path}: {LinuxError.Text(error)}.{cause}", error);
        }
    }

    /// <summary>Stores durably what a directory says of a file: that it is there, or is not.</summary>
    /// <exception cref="IOException">The directory can't be stored.</exception>
    public static void SyncName(string path)
    {
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        int error = Sync(directory);
        if (error != 0)
        {
            throw LinuxError.Exception($"Cannot store the names in {directory}", error);
        }
    }

    private static int Sync(string directory)
    {
        int fd = Fcntl.open(directory, Fcntl.O_RDONLY | Fcntl.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return LinuxError.Last;
        }

        int error = Unistd.fsync(fd) == 0 ? 0 : LinuxError.Last;
        _ = Unistd.close(fd);
        return error;
    }
}
