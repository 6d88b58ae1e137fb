using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>
/// The file of a listening unix socket, known by its inode: a successor's file is never removed.
/// </summary>
internal sealed unsafe class UnixSocketFile
{
    /// <summary>Owner and group may connect.</summary>
    public const uint Mode = 0x1b0; // 0660

    private readonly string _path;
    private readonly statx _identity;

    /// <summary>Notes the identity of the file just bound.</summary>
    public UnixSocketFile(string path)
    {
        _path = path;
        TryStat(path, out _identity);
    }

    /// <summary>Removes the file unless another one has taken its place.</summary>
    public void RemoveIfOurs()
    {
        if (TryStat(_path, out statx now)
            && now.stx_ino == _identity.stx_ino
            && now.stx_dev_major == _identity.stx_dev_major
            && now.stx_dev_minor == _identity.stx_dev_minor)
        {
            _ = Unistd.unlink(_path);
        }
    }

    /// <summary>
    /// Makes room for a socket at this path. A file is removed only when it is a socket and nobody listens on
    /// it; otherwise <see cref="IOException"/>.
    /// </summary>
    public static void RemoveIfStale(UnixEndpoint endpoint)
    {
        if (!TryStat(endpoint.Path, out statx found))
        {
            return;
        }

        if ((found.stx_mode & Stat.S_IFMT) != Stat.S_IFSOCK)
        {
            throw new IOException($"Cannot listen on {endpoint.Path}: a file that is not a socket is there.");
        }

        int error = TryConnect(endpoint);
        if (error != Errno.ECONNREFUSED)
        {
            string cause = error is 0 or Errno.EAGAIN
                ? "another process listens there"
                : $"a socket is there that can't be tried: {LinuxError.Text(error)}";
            throw new IOException($"Cannot listen on {endpoint.Path}: {cause}.");
        }

        _ = Unistd.unlink(endpoint.Path);
    }

    private static int TryConnect(UnixEndpoint endpoint)
    {
        // Non-blocking: a listener whose backlog is full answers EAGAIN instead of holding us up.
        const int type = Socket.SOCK_STREAM | Socket.SOCK_CLOEXEC | Socket.SOCK_NONBLOCK;
        int fd = Socket.socket(Socket.AF_UNIX, type, 0);
        if (fd < 0)
        {
            return LinuxError.Last;
        }

        byte* address = stackalloc byte[(int)KernelAddress.MaxBytes];
        uint length = KernelAddress.Encode(endpoint, address);
        int error = Socket.connect(fd, address, length) == 0 ? 0 : LinuxError.Last;
        _ = Unistd.close(fd);
        return error;
    }

    private static bool TryStat(string path, out statx found)
    {
        fixed (statx* result = &found)
        {
            *result = default;
            return Stat.statx(At.AT_FDCWD, path, At.AT_SYMLINK_NOFOLLOW, Stat.STATX_BASIC_STATS, result) == 0;
        }
    }
}
