namespace MirrorD.Io.Linux;

/// <summary>By what a loop has the kernel carry operations out.</summary>
public enum LoopKind
{
    /// <summary>io_uring: <see cref="UringLoop"/>.</summary>
    Uring,

    /// <summary>epoll for sockets, worker threads for disks: <see cref="EpollLoop"/>.</summary>
    Epoll,
}
