using System.Buffers.Binary;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Whole Ethernet frames of one interface (packet(7)); no call waits. Frames that this host sends itself are
/// not received.
/// </summary>
internal sealed unsafe class PacketSocket : IDisposable
{
    /// <summary>Room for any frame that is looked at; the rest of a longer one is cut off.</summary>
    public const int FrameBytes = 512;

    private readonly string _interface;
    private readonly string _purpose;
    private readonly int _index;
    private readonly ushort _protocol;

    /// <summary>Opens the socket; it receives from now on.</summary>
    /// <param name="interfaceName">Name of the interface.</param>
    /// <param name="index">Its index.</param>
    /// <param name="protocol">Ethernet type of the frames.</param>
    /// <param name="filter">Which of them to receive; empty: none, it only sends.</param>
    /// <param name="purpose">What can't be done if it fails, as the beginning of a sentence.</param>
    public PacketSocket(
        string interfaceName, int index, ushort protocol, ReadOnlySpan<sock_filter> filter, string purpose)
    {
        _interface = interfaceName;
        _index = index;
        _protocol = protocol;
        _purpose = purpose;

        // Protocol 0: nothing is received before the filter is in place.
        const int type = Socket.SOCK_RAW | Socket.SOCK_CLOEXEC | Socket.SOCK_NONBLOCK;
        Fd = Socket.socket(Socket.AF_PACKET, type, 0);
        if (Fd < 0)
        {
            throw Refused(LinuxError.Last);
        }

        if (!filter.IsEmpty)
        {
            Receive(filter);
        }
    }

    /// <summary>For poll(2).</summary>
    public int Fd { get; }

    /// <summary>Sends a frame.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        sockaddr_ll target = Address();
        target.sll_halen = IfEther.ETH_ALEN;
        frame[..IfEther.ETH_ALEN].CopyTo(new Span<byte>(target.sll_addr, IfEther.ETH_ALEN));
        fixed (byte* data = frame)
        {
            if (Socket.sendto(Fd, data, (nuint)frame.Length, 0, &target, (uint)sizeof(sockaddr_ll)) < 0)
            {
                throw Refused(LinuxError.Last);
            }
        }
    }

    /// <summary>Takes the next frame; empty when none is there.</summary>
    /// <param name="memory">Of <see cref="FrameBytes"/>; the frame is in its beginning.</param>
    public ReadOnlySpan<byte> Take(byte[] memory)
    {
        fixed (byte* data = memory)
        {
            while (true)
            {
                nint received = Socket.recv(Fd, data, (nuint)memory.Length, 0);
                if (received >= 0)
                {
                    return memory.AsSpan(0, (int)received);
                }

                switch (LinuxError.Last)
                {
                    case LinuxError.EINTR:
                        continue;
                    case Errno.EAGAIN:
                    // Told once when the interface goes down; up again, the socket receives again.
                    case Errno.ENETDOWN:
                        return default;
                    default:
                        throw Refused(LinuxError.Last);
                }
            }
        }
    }

    /// <summary>Has the interface receive frames to a group; until the socket is closed.</summary>
    public void Join(EthernetAddress group)
    {
        var request = new packet_mreq
        {
            mr_ifindex = _index,
            mr_type = IfPacket.PACKET_MR_MULTICAST,
            mr_alen = IfEther.ETH_ALEN,
        };
        group.CopyTo(new Span<byte>(request.mr_address, IfEther.ETH_ALEN));
        const int name = IfPacket.PACKET_ADD_MEMBERSHIP;
        if (Socket.setsockopt(Fd, IfPacket.SOL_PACKET, name, &request, (uint)sizeof(packet_mreq)) < 0)
        {
            throw Refused(LinuxError.Last);
        }
    }

    public void Dispose() => _ = Unistd.close(Fd);

    private void Receive(ReadOnlySpan<sock_filter> filter)
    {
        fixed (sock_filter* code = filter)
        {
            var program = new sock_fprog { len = (ushort)filter.Length, filter = code };
            sockaddr_ll address = Address();
            const int name = Socket.SO_ATTACH_FILTER;
            if (Socket.setsockopt(Fd, Socket.SOL_SOCKET, name, &program, (uint)sizeof(sock_fprog)) < 0
                || Socket.bind(Fd, &address, (uint)sizeof(sockaddr_ll)) < 0)
            {
                int errno = LinuxError.Last;
                Dispose();
                throw Refused(errno);
            }
        }
    }

    private sockaddr_ll Address() => new()
    {
        sll_family = Socket.AF_PACKET,
        sll_protocol = BinaryPrimitives.ReverseEndianness(_protocol),
        sll_ifindex = _index,
    };

    private IOException Refused(int errno) => new(
        $"{_purpose} on {_interface}: {LinuxError.Text(errno)}." + errno switch
        {
            Errno.EPERM or Errno.EACCES => " It needs the capability CAP_NET_RAW: run as root or grant it.",
            Errno.ENETDOWN => $" The interface is down: 'ip link set {_interface} up'.",
            LinuxError.ENOBUFS =>
                $" It has no carrier, or its queue is full: see 'ip -s link show {_interface}'.",
            LinuxError.ENXIO or LinuxError.ENODEV => " The interface has gone.",
            _ => "",
        },
        errno);
}
