using System.Runtime.InteropServices;

namespace MirrorD.Io.Linux.Interop;

/// <summary>linux/io_uring.h and its three system calls, which the C library does not wrap.</summary>
[CHeader("linux/io_uring.h")]
internal static unsafe partial class IoUring
{
    public const uint IORING_SETUP_CQSIZE = 1u << 3;
    public const uint IORING_SETUP_CLAMP = 1u << 4;
    public const uint IORING_SETUP_R_DISABLED = 1u << 6;
    public const uint IORING_SETUP_SUBMIT_ALL = 1u << 7;
    public const uint IORING_SETUP_COOP_TASKRUN = 1u << 8;
    public const uint IORING_SETUP_SINGLE_ISSUER = 1u << 12;
    public const uint IORING_SETUP_DEFER_TASKRUN = 1u << 13;

    public const uint IORING_FEAT_SINGLE_MMAP = 1u << 0;
    public const uint IORING_FEAT_NODROP = 1u << 1;
    public const uint IORING_FEAT_EXT_ARG = 1u << 8;

    public const long IORING_OFF_SQ_RING = 0;
    public const long IORING_OFF_CQ_RING = 0x8000000;
    public const long IORING_OFF_SQES = 0x10000000;

    public const uint IORING_ENTER_GETEVENTS = 1u << 0;
    public const uint IORING_ENTER_EXT_ARG = 1u << 3;

    public const uint IORING_REGISTER_ENABLE_RINGS = 12;
    public const uint IORING_REGISTER_IOWQ_MAX_WORKERS = 19;
    [CSince(6, 12)] public const uint IORING_REGISTER_CLOCK = 29;

    public const uint IORING_FSYNC_DATASYNC = 1u << 0;
    public const byte IOSQE_ASYNC = 1 << 4;

    public const byte IORING_OP_FSYNC = 3;
    public const byte IORING_OP_ACCEPT = 13;
    public const byte IORING_OP_ASYNC_CANCEL = 14;
    public const byte IORING_OP_CONNECT = 16;
    public const byte IORING_OP_FALLOCATE = 17;
    public const byte IORING_OP_READ = 22;
    public const byte IORING_OP_WRITE = 23;
    public const byte IORING_OP_SEND = 26;
    public const byte IORING_OP_RECV = 27;

    /// <summary>int io_uring_setup(u32 entries, struct io_uring_params *p).</summary>
    public static int Setup(uint entries, io_uring_params* parameters) =>
        (int)syscall(SyscallNumbers.__NR_io_uring_setup, (nint)entries, (nint)parameters, 0, 0, 0, 0);

    /// <summary>
    /// int io_uring_enter(unsigned fd, u32 to_submit, u32 min_complete, u32 flags, void *arg, size_t).
    /// </summary>
    public static int Enter(
        int fd, uint toSubmit, uint minComplete, uint flags, void* argument, nuint size) =>
        (int)syscall(SyscallNumbers.__NR_io_uring_enter, fd, (nint)toSubmit, (nint)minComplete, (nint)flags,
            (nint)argument, (nint)size);

    /// <summary>int io_uring_register(unsigned fd, unsigned opcode, void *arg, unsigned nr_args).</summary>
    public static int Register(int fd, uint opcode, void* argument, uint count) =>
        (int)syscall(SyscallNumbers.__NR_io_uring_register, fd, (nint)opcode, (nint)argument, (nint)count,
            0, 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e, nint f);
}

/// <summary>asm/unistd.h: the same numbers on every architecture that .NET runs on.</summary>
[CHeader("asm/unistd.h")]
internal static class SyscallNumbers
{
    public const int __NR_io_uring_setup = 425;
    public const int __NR_io_uring_enter = 426;
    public const int __NR_io_uring_register = 427;
}

#pragma warning disable CS0649 // Written by the kernel.

[CHeader("linux/io_uring.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct io_uring_sqe
{
    public byte opcode;
    public byte flags;
    public ushort ioprio;
    public int fd;
    public ulong off;
    public ulong addr;
    public uint len;
    public uint rw_flags;
    public ulong user_data;
    public ushort buf_index;
    public ushort personality;
    public int splice_fd_in;
    public ulong addr3;
    [CName(null)] public ulong pad2;
}

[CHeader("linux/io_uring.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct io_uring_cqe
{
    public ulong user_data;
    public int res;
    public uint flags;
}

[CHeader("linux/io_uring.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct io_sqring_offsets
{
    public uint head;
    public uint tail;
    public uint ring_mask;
    public uint ring_entries;
    public uint flags;
    public uint dropped;
    public uint array;
    public uint resv1;
    [CName(null)] public ulong resv2;
}

[CHeader("linux/io_uring.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct io_cqring_offsets
{
    public uint head;
    public uint tail;
    public uint ring_mask;
    public uint ring_entries;
    public uint overflow;
    public uint cqes;
    public uint flags;
    public uint resv1;
    [CName(null)] public ulong resv2;
}

[CHeader("linux/io_uring.h")]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct io_uring_params
{
    public uint sq_entries;
    public uint cq_entries;
    public uint flags;
    public uint sq_thread_cpu;
    public uint sq_thread_idle;
    public uint features;
    public uint wq_fd;
    public fixed uint resv[3];
    public io_sqring_offsets sq_off;
    public io_cqring_offsets cq_off;
}

[CHeader("linux/io_uring.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct io_uring_getevents_arg
{
    public ulong sigmask;
    public uint sigmask_sz;
    [CName(null)] public uint pad;
    public ulong ts;
}

[CHeader("linux/io_uring.h"), CSince(6, 12)]
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct io_uring_clock_register
{
    public uint clockid;
    [CName("__resv")] public fixed uint resv[3];
}

[CHeader("linux/time_types.h")]
[StructLayout(LayoutKind.Sequential)]
internal struct __kernel_timespec
{
    public long tv_sec;
    public long tv_nsec;
}
