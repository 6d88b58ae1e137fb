using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Disks;

/// <summary>Files that share their blocks until one of them is written: ioctl_ficlonerange(2), on xfs and btrfs.</summary>
public static unsafe class FileClone
{
    private const uint Mode = 0x180; // 0600

    // A multiple of every block of a file system; no volume is shorter.
    private const ulong TrialBytes = 64 * 1024;

    /// <summary>
    /// It is a regular file, and nothing says that its file system lets no files share blocks. Where that can't be tried, as
    /// there is no room, the answer is that it can: <see cref="Create"/> then says what is wrong.
    /// </summary>
    /// <exception cref="IOException">It is not there.</exception>
    public static bool MayShare(string path)
    {
        if ((Ask(path).stx_mode & Stat.S_IFMT) != Stat.S_IFREG)
        {
            return false;
        }

        string trial = path + ".mirrord-trial";
        int from = Fcntl.open(path, Fcntl.O_RDONLY | Fcntl.O_CLOEXEC, 0);
        int to = Fcntl.open(trial, Fcntl.O_RDWR | Fcntl.O_CREAT | Fcntl.O_CLOEXEC, Mode);
        _ = Unistd.unlink(trial);
        var range = new file_clone_range { src_fd = from, src_length = TrialBytes };
        bool may = from < 0 || to < 0 || Fs.ioctl(to, Fs.FICLONERANGE, &range) == 0
            || LinuxError.Last is not (Errno.EOPNOTSUPP or Errno.EINVAL or LinuxError.ENOTTY);
        _ = from >= 0 ? Unistd.close(from) : 0;
        _ = to >= 0 ? Unistd.close(to) : 0;
        return may;
    }

    /// <summary>Bytes that a file has allocated, also those that it shares.</summary>
    /// <exception cref="IOException">It can't be asked.</exception>
    public static long AllocatedBytes(string path) => (long)Ask(path).stx_blocks * 512;

    /// <summary>Makes a file that shares all blocks of another one on the same file system, durably with its name.</summary>
    /// <exception cref="IOException">It exists, or can't be made: EOPNOTSUPP where files can't share blocks.</exception>
    public static void Create(string path, string source)
    {
        int from = Open(source, Fcntl.O_RDONLY);
        try
        {
            int to = Open(path, Fcntl.O_RDWR | Fcntl.O_CREAT | Fcntl.O_EXCL);
            int error = Fs.ioctl(to, Fs.FICLONE, (void*)from) == 0 ? 0 : LinuxError.Last;
            error = error != 0 ? error : Unistd.fsync(to) == 0 ? 0 : LinuxError.Last;
            _ = Unistd.close(to);
            if (error != 0)
            {
                _ = Unistd.unlink(path);
                throw LinuxError.Exception($"Cannot clone {source} as {path}", error);
            }
        }
        finally
        {
            _ = Unistd.close(from);
        }

        DiskFile.SyncName(path);
    }

    /// <summary>Gives a file another name in its directory, durably.</summary>
    /// <exception cref="IOException">It can't be done.</exception>
    public static void Rename(string path, string to)
    {
        File.Move(path, to, overwrite: true);
        DiskFile.SyncName(to);
    }

    /// <summary>Has the first bytes of a file share the blocks of another one, durably.</summary>
    /// <param name="path">Is not cut or made longer.</param>
    /// <param name="source">At least as long.</param>
    /// <param name="lengthBytes">A multiple of the file system's block.</param>
    /// <exception cref="IOException">It can't be done.</exception>
    public static void CopyRange(string path, string source, long lengthBytes)
    {
        int from = Open(source, Fcntl.O_RDONLY);
        int to = -1;
        try
        {
            to = Open(path, Fcntl.O_RDWR);
            var range = new file_clone_range { src_fd = from, src_length = (ulong)lengthBytes };
            if (Fs.ioctl(to, Fs.FICLONERANGE, &range) != 0 || Unistd.fsync(to) != 0)
            {
                throw LinuxError.Exception($"Cannot copy {source} back to {path}", LinuxError.Last);
            }
        }
        finally
        {
            _ = Unistd.close(from);
            if (to >= 0)
            {
                _ = Unistd.close(to);
            }
        }
    }

    private static statx Ask(string path)
    {
        statx found;
        return Stat.statx(At.AT_FDCWD, path, 0, Stat.STATX_BASIC_STATS, &found) == 0
            ? found
            : throw LinuxError.Exception($"Cannot ask for the size of {path}", LinuxError.Last);
    }

    private static int Open(string path, int flags)
    {
        int fd = Fcntl.open(path, flags | Fcntl.O_CLOEXEC, Mode);
        return fd >= 0 ? fd : throw LinuxError.Exception($"Cannot open {path}", LinuxError.Last);
    }
}
