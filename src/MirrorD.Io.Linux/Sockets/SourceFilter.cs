using System.Buffers.Binary;
using System.Net;
using MirrorD.Io.Linux.Interop;
using static MirrorD.Io.Linux.Interop.Filter;

namespace MirrorD.Io.Linux.Sockets;

/// <summary>
/// A packet filter of one UDP socket that lets datagrams of one sender through. A connected socket hears nobody
/// else either, but between bind and connect it takes datagrams from anybody, and connecting does not remove
/// them.
/// </summary>
internal static unsafe class SourceFilter
{
    // Offsets of the source in the headers: RFC 768, RFC 791, RFC 8200.
    private const int UdpSourcePort = 0;
    private const int V4SourceAddress = 12;
    private const int V6SourceAddress = 8;

    private const int LongestProgram = 12;

    /// <summary>Attaches it. Returns 0 or a negative errno.</summary>
    public static int Attach(int fd, IPAddress sender, int senderPort)
    {
        Span<byte> address = stackalloc byte[16];
        sender.TryWriteBytes(address, out int addressBytes);
        int addressAt = SKF_NET_OFF + (addressBytes == 4 ? V4SourceAddress : V6SourceAddress);

        sock_filter* program = stackalloc sock_filter[LongestProgram];
        int words = addressBytes / 4;
        int drop = 3 + (2 * words); // Behind the comparisons and the acceptance.
        int next = 0;
        Compare(program, ref next, BPF_H, UdpSourcePort, (uint)senderPort, drop);
        for (int word = 0; word < words; word++)
        {
            uint expected = BinaryPrimitives.ReadUInt32BigEndian(address[(4 * word)..]);
            Compare(program, ref next, BPF_W, addressAt + (4 * word), expected, drop);
        }

        program[next++] = new sock_filter { code = BPF_RET | BPF_K, k = uint.MaxValue };
        program[next++] = new sock_filter { code = BPF_RET | BPF_K, k = 0 };
        return Attach(fd, program, next);
    }

    /// <summary>Has a program decide on what comes to a socket. Returns 0 or a negative errno.</summary>
    internal static int Attach(int fd, sock_filter* program, int instructions)
    {
        var whole = new sock_fprog { len = (ushort)instructions, filter = program };
        return Socket.setsockopt(
            fd, Socket.SOL_SOCKET, Socket.SO_ATTACH_FILTER, &whole, (uint)sizeof(sock_fprog)) == 0
            ? 0
            : -LinuxError.Last;
    }

    /// <summary>Goes on with the next instruction when the value at the offset is the expected one.</summary>
    private static void Compare(
        sock_filter* program, ref int next, ushort size, int offset, uint expected, int drop)
    {
        program[next++] = new sock_filter { code = (ushort)(BPF_LD | BPF_ABS | size), k = (uint)offset };
        byte jump = (byte)(drop - next - 1);
        program[next++] = new sock_filter { code = BPF_JMP | BPF_JEQ | BPF_K, jf = jump, k = expected };
    }
}
