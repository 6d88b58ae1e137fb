namespace MirrorD.Configuration;

/// <summary>By what a node's disks and sockets are served.</summary>
public enum IoChoice
{
    /// <summary>io_uring where the kernel permits it, else epoll.</summary>
    Auto,
    /// <summary>io_uring, or the daemon does not start.</summary>
    Uring,
    /// <summary>epoll and worker threads.</summary>
    Epoll,
}
