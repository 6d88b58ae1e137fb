using MirrorD.Io.Linux.Interop;
using static MirrorD.Io.Linux.Interop.IoUring;

namespace MirrorD.Io.Linux.Uring;

/// <summary>Creates a ring with the best flags that this kernel knows, or says why there is none.</summary>
internal static unsafe class RingSetup
{
    private const string SysctlPath = "/proc/sys/kernel/io_uring_disabled";
    private const uint AlwaysFlags = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;

    // Best first: one thread reaps its own work when it asks for it (6.1), is not interrupted for it (5.19),
    // plain.
    private static readonly uint[] OptionalFlags =
    [
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
        0,
    ];

    /// <summary>
    /// Returns the descriptor; throws <see cref="IOException"/> that names the likely cause.
    /// </summary>
    public static int Create(uint entries, uint completions, io_uring_params* parameters)
    {
        int errno = 0;
        foreach (uint optional in OptionalFlags)
        {
            *parameters = new io_uring_params { flags = AlwaysFlags | optional, cq_entries = completions };
            int fd = Setup(entries, parameters);
            if (fd >= 0)
            {
                const uint needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG;
                if ((parameters->features & needed) == needed)
                {
                    return fd;
                }

                _ = Unistd.close(fd);
                throw new IOException("io_uring of this kernel is too old: Linux 5.11 or newer is needed.");
            }

            errno = LinuxError.Last;
            if (errno != Errno.EINVAL)
            {
                break;
            }
        }

        throw new IOException(
            $"io_uring is not available: {LinuxError.Text(errno)}. {Cause(errno, ReadSysctl())}", errno);
    }

    /// <summary>The likely cause of a refused ring and what to do about it.</summary>
    /// <param name="errno">Error of io_uring_setup.</param>
    /// <param name="disabledSysctl">Content of kernel.io_uring_disabled; null where there is none.</param>
    internal static string Cause(int errno, string? disabledSysctl) => (errno, disabledSysctl?.Trim()) switch
    {
        (Errno.EPERM, "2") => "It is switched off: sysctl kernel.io_uring_disabled=0 permits it.",
        (Errno.EPERM, "1") =>
            "It is reserved for privileged processes and the group kernel.io_uring_group: give " +
            "CAP_SYS_ADMIN, or sysctl kernel.io_uring_disabled=0.",
        (Errno.EPERM, _) =>
            "A seccomp filter (container or service sandbox) blocks it: permit io_uring_setup, " +
            "io_uring_enter and io_uring_register.",
        (LinuxError.ENOSYS, _) =>
            "The kernel has no io_uring (5.11 or newer is needed), or a seccomp filter hides it.",
        (Errno.ENOMEM, _) => "The limit of locked memory is too small: raise LimitMEMLOCK (ulimit -l).",
        (Errno.EINVAL, _) => "The kernel is too old: Linux 5.11 or newer is needed.",
        _ => "See io_uring_setup(2).",
    };

    private static string? ReadSysctl()
    {
        try
        {
            return File.ReadAllText(SysctlPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
