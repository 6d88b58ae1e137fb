using System.Buffers.Binary;
using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Tells every neighbour that an IPv4 address now lives at this host's interface: gratuitous ARP, as request
/// and as reply, because receivers differ in which they heed. The caller repeats it: receivers ignore an
/// update within a second of the last one.
/// </summary>
public static unsafe class ArpAnnouncer
{
    /// <summary>Sends one request and one reply on the interface, with the interface's own MAC.</summary>
    /// <exception cref="IOException">They can't be sent; the message names cause and remedy.</exception>
    public static void Announce(string interfaceName, IPAddress address)
    {
        if (KernelAddress.Family(address) != Socket.AF_INET)
        {
            throw new ArgumentException(
                $"ARP announces IPv4 addresses only, not {address}.", nameof(address));
        }

        byte[] mac = NetworkDevice.EthernetAddressOf(interfaceName);
        var target = new sockaddr_ll
        {
            sll_family = Socket.AF_PACKET,
            sll_protocol = BinaryPrimitives.ReverseEndianness(IfEther.ETH_P_ARP),
            sll_ifindex = NetworkDevice.IndexOf(interfaceName),
            sll_halen = IfEther.ETH_ALEN,
        };
        new Span<byte>(target.sll_addr, IfEther.ETH_ALEN).Fill(0xff);

        // Protocol 0: this socket only sends, the kernel queues no frames to it.
        int fd = Socket.socket(Socket.AF_PACKET, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            throw Refused(interfaceName, address, LinuxError.Last);
        }

        try
        {
            byte* frame = stackalloc byte[ArpFrame.LengthBytes];
            foreach (ushort operation in (ReadOnlySpan<ushort>)[IfArp.ARPOP_REQUEST, IfArp.ARPOP_REPLY])
            {
                ArpFrame.WriteAnnouncement(new(frame, ArpFrame.LengthBytes), operation, mac, address);
                if (Socket.sendto(fd, frame, ArpFrame.LengthBytes, 0, &target, (uint)sizeof(sockaddr_ll)) < 0)
                {
                    throw Refused(interfaceName, address, LinuxError.Last);
                }
            }
        }
        finally
        {
            _ = Unistd.close(fd);
        }
    }

    private static IOException Refused(string interfaceName, IPAddress address, int errno) => new(
        $"Cannot announce {address} on {interfaceName}: {LinuxError.Text(errno)}." + errno switch
        {
            Errno.EPERM or Errno.EACCES => " It needs the capability CAP_NET_RAW: run as root or grant it.",
            Errno.ENETDOWN => $" The interface is down: 'ip link set {interfaceName} up'.",
            LinuxError.ENXIO or LinuxError.ENODEV => " The interface has gone.",
            _ => "",
        },
        errno);
}
