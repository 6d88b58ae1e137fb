using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using static MirrorD.Io.Linux.Interop.Filter;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>
/// A packet filter of a listening TCP socket that lets some callers in: the kernel drops what others send to it before it makes
/// anything for them, and they ask again after seconds (RFC 6298). A connection that waits to be accepted is not touched; one that
/// comes while the filter is there inherits it.
/// </summary>
public static unsafe class CallerFilter
{
    // Offsets of the source in the headers: RFC 791, RFC 8200.
    private const int V4SourceAddress = 12;
    private const int V6SourceAddress = 8;

    // Two instructions for each word of an address, one to accept; at the end one that drops.
    private const int MostOfAddress = (2 * 4) + 1;

    /// <summary>Longest program that the kernel takes: BPF_MAXINSNS of linux/bpf_common.h.</summary>
    private const int LongestProgram = 4096;

    /// <summary>Lets only these callers in.</summary>
    /// <param name="socket">Listens.</param>
    /// <param name="callers">Their addresses.</param>
    /// <returns>0 or a negative errno: then everybody is let in as before.</returns>
    public static int LetIn(SafeHandle socket, IReadOnlyList<IPAddress> callers) =>
        With(socket, fd => LetIn(fd, callers));

    /// <summary>Lets everybody in again.</summary>
    /// <returns>0 or a negative errno.</returns>
    public static int LetAllIn(SafeHandle socket) => With(socket, LetAllIn);

    internal static int LetIn(int fd, IReadOnlyList<IPAddress> callers)
    {
        if ((callers.Count * MostOfAddress) + 1 > LongestProgram)
        {
            return -Errno.EINVAL;
        }

        var program = new sock_filter[(callers.Count * MostOfAddress) + 1];
        int next = 0;
        Span<byte> bytes = stackalloc byte[16];
        foreach (IPAddress caller in callers)
        {
            caller.TryWriteBytes(bytes, out int length);
            int at = SKF_NET_OFF + (length == 4 ? V4SourceAddress : V6SourceAddress);
            for (int word = 0; word < length; word += 4)
            {
                program[next++] = new sock_filter { code = BPF_LD | BPF_ABS | BPF_W, k = (uint)(at + word) };

                // Another one: behind the instruction that accepts this one.
                program[next++] = new sock_filter
                {
                    code = BPF_JMP | BPF_JEQ | BPF_K,
                    jf = (byte)(((length - word) / 2) - 1),
                    k = BinaryPrimitives.ReadUInt32BigEndian(bytes[word..]),
                };
            }

            program[next++] = new sock_filter { code = BPF_RET | BPF_K, k = uint.MaxValue };
        }

        program[next++] = new sock_filter { code = BPF_RET | BPF_K, k = 0 };
        fixed (sock_filter* first = program)
        {
            return SourceFilter.Attach(fd, first, next);
        }
    }

    internal static int LetAllIn(int fd)
    {
        int unused = 0;
        return Socket.setsockopt(fd, Socket.SOL_SOCKET, Socket.SO_DETACH_FILTER, &unused, sizeof(int)) == 0
            ? 0
            : -LinuxError.Last;
    }

    private static int With(SafeHandle socket, Func<int, int> action)
    {
        bool isHeld = false;
        try
        {
            socket.DangerousAddRef(ref isHeld);
            return action((int)socket.DangerousGetHandle());
        }
        finally
        {
            if (isHeld)
            {
                socket.DangerousRelease();
            }
        }
    }
}
