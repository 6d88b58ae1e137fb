using System.Net;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Tells every neighbour that an address now lives at this host's interface: gratuitous ARP, as request and as
/// reply, because receivers differ in which they heed; for IPv6 an unsolicited neighbour advertisement
/// (RFC 4861, section 7.2.6). The caller repeats it: receivers ignore an update within a second of the last
/// one.
/// </summary>
public static class AddressAnnouncer
{
    /// <summary>Announces the address once, with the interface's own MAC. Does not wait.</summary>
    /// <exception cref="IOException">It can't be sent; the message names cause and remedy.</exception>
    public static void Announce(string interfaceName, IPAddress address)
    {
        EthernetAddress mac = NetworkDevice.EthernetAddressOf(interfaceName);
        bool isV4 = KernelAddress.Family(address) == Socket.AF_INET;
        using var socket = new PacketSocket(
            interfaceName, NetworkDevice.IndexOf(interfaceName),
            isV4 ? IfEther.ETH_P_ARP : IfEther.ETH_P_IPV6, [], $"Cannot announce {address}");
        Span<byte> frame = stackalloc byte[NeighbourFrame.MaxLengthBytes];
        if (isV4)
        {
            foreach (ushort operation in (ReadOnlySpan<ushort>)[IfArp.ARPOP_REQUEST, IfArp.ARPOP_REPLY])
            {
                ArpFrame.WriteAnnouncement(frame, operation, mac, address);
                socket.Send(frame[..ArpFrame.LengthBytes]);
            }
        }
        else
        {
            int length = NeighbourFrame.WriteAdvertisement(frame, mac, address, IsRouter(interfaceName));
            socket.Send(frame[..length]);
        }
    }

    /// <summary>The kernel forwards IPv6 packets that arrive on the interface.</summary>
    private static bool IsRouter(string interfaceName)
    {
        string file = $"/proc/sys/net/ipv6/conf/{interfaceName}/forwarding";
        return File.Exists(file) && File.ReadAllText(file).TrimEnd() is not "0";
    }
}
