using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// One conversation with the kernel over netlink: a request and its answers, synchronously.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    // The kernel answers in the call itself; this only keeps a defect from hanging the caller.
    private const int AnswerSeconds = 5;

    // Larger than any part of a dump that the kernel sends (it fits them to the reader, at most 32 KiB).
    private const int AnswerBytes = 64 * 1024;

    private readonly int _fd;
    private readonly byte[] _answer = new byte[AnswerBytes];
    private uint _sequence;

    public NetlinkSocket(int protocol)
    {
        _fd = Socket.socket(Socket.AF_NETLINK, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, protocol);
        if (_fd < 0)
        {
            throw LinuxError.Exception("No netlink socket", LinuxError.Last);
        }

        var limit = new timespec { tv_sec = AnswerSeconds }; // struct timeval has the same layout.
        _ = Socket.setsockopt(_fd, Socket.SOL_SOCKET, Socket.SO_RCVTIMEO, &limit, (uint)sizeof(timespec));
    }

    /// <summary>Sends one message and gives the kernel's verdict: 0 or a negative errno.</summary>
    /// <param name="message">The message.</param>
    /// <param name="visit">Looks at each answer that comes before the verdict.</param>
    public int Execute(NetlinkMessage message, NetlinkVisitor? visit = null)
    {
        Send(message, Netlink.NLM_F_ACK);
        while (true)
        {
            ReadOnlySpan<byte> rest = Receive();
            while (NetlinkMessage.TryTake(ref rest, out nlmsghdr header, out ReadOnlySpan<byte> body))
            {
                if (header.nlmsg_seq != _sequence)
                {
                    continue;
                }

                if (header.nlmsg_type == Netlink.NLMSG_ERROR)
                {
                    return MemoryMarshal.Read<int>(body);
                }

                visit?.Invoke(header.nlmsg_type, body);
            }
        }
    }

    /// <summary>
    /// Sends a dump request and hands each answer to the visitor. Throws <see cref="IOException"/>.
    /// </summary>
    public void Dump(NetlinkMessage message, NetlinkVisitor visit)
    {
        Send(message, Netlink.NLM_F_DUMP);
        while (true)
        {
            ReadOnlySpan<byte> rest = Receive();
            while (NetlinkMessage.TryTake(ref rest, out nlmsghdr header, out ReadOnlySpan<byte> body))
            {
                if (header.nlmsg_seq != _sequence)
                {
                    continue;
                }

                switch (header.nlmsg_type)
                {
                    case Netlink.NLMSG_DONE:
                        return;
                    case Netlink.NLMSG_ERROR:
                        int errno = -MemoryMarshal.Read<int>(body);
                        throw LinuxError.Exception("The kernel refused a netlink dump", errno);
                    default:
                        visit(header.nlmsg_type, body);
                        break;
                }
            }
        }
    }

    public void Dispose() => _ = Unistd.close(_fd);

    private void Send(NetlinkMessage message, ushort flags)
    {
        ReadOnlySpan<byte> bytes = message.Finish(flags, ++_sequence);
        var kernel = new sockaddr_nl { nl_family = Socket.AF_NETLINK };
        fixed (byte* data = bytes)
        {
            if (Socket.sendto(_fd, data, (nuint)bytes.Length, 0, &kernel, (uint)sizeof(sockaddr_nl)) < 0)
            {
                throw LinuxError.Exception("A netlink message could not be sent", LinuxError.Last);
            }
        }
    }

    private ReadOnlySpan<byte> Receive()
    {
        fixed (byte* data = _answer)
        {
            while (true)
            {
                nint received = Socket.recv(_fd, data, AnswerBytes, 0);
                if (received >= 0)
                {
                    return _answer.AsSpan(0, (int)received);
                }

                if (LinuxError.Last != LinuxError.EINTR)
                {
                    throw LinuxError.Exception("The kernel did not answer over netlink", LinuxError.Last);
                }
            }
        }
    }
}

/// <summary>Looks at one message.</summary>
internal delegate void NetlinkVisitor(ushort type, ReadOnlySpan<byte> body);
