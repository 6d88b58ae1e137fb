using System.Buffers.Binary;
using System.Net;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Ethernet frames of ARP for IPv4 (RFC 826), 42 bytes: 0 destination, 6 source, 12 type 0x0806,
/// 14 hardware 1, 16 protocol 0x0800, 18 lengths 6 and 4, 20 operation, 22 sender MAC, 28 sender IP,
/// 32 target MAC, 38 target IP.
/// </summary>
internal static class ArpFrame
{
    /// <summary>Length of a frame; the driver pads it to the Ethernet minimum.</summary>
    public const int LengthBytes = 42;

    /// <summary>
    /// Writes an announcement of one's own address (RFC 5227, section 2.3): to everybody, sender and target
    /// are the announced address. The target MAC is zero in a request and one's own in a reply.
    /// </summary>
    public static void WriteAnnouncement(
        Span<byte> frame, ushort operation, ReadOnlySpan<byte> mac, IPAddress address)
    {
        frame[..LengthBytes].Clear();
        frame[..IfEther.ETH_ALEN].Fill(0xff);
        mac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], IfEther.ETH_P_ARP);
        BinaryPrimitives.WriteUInt16BigEndian(frame[14..], IfArp.ARPHRD_ETHER);
        BinaryPrimitives.WriteUInt16BigEndian(frame[16..], IfEther.ETH_P_IP);
        frame[18] = IfEther.ETH_ALEN;
        frame[19] = 4;
        BinaryPrimitives.WriteUInt16BigEndian(frame[20..], operation);
        mac.CopyTo(frame[22..]);
        address.TryWriteBytes(frame[28..], out _);
        if (operation == IfArp.ARPOP_REPLY)
        {
            mac.CopyTo(frame[32..]);
        }

        address.TryWriteBytes(frame[38..], out _);
    }
}
