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

    /// <summary>Where the IP address of the sender begins.</summary>
    public const int SenderOffset = 28;

    /// <summary>Where the IP address begins that is asked for.</summary>
    public const int TargetOffset = 38;

    /// <summary>
    /// Writes an announcement of one's own address (RFC 5227, section 2.3): to everybody, sender and target
    /// are the announced address. The target MAC is zero in a request and one's own in a reply.
    /// </summary>
    public static void WriteAnnouncement(
        Span<byte> frame, ushort operation, EthernetAddress mac, IPAddress address)
    {
        Write(frame, operation, mac, address, address);
        if (operation == IfArp.ARPOP_REPLY)
        {
            mac.CopyTo(frame[32..]);
        }
    }

    /// <summary>
    /// Writes the question who has an address. The sender 0.0.0.0 makes it a probe (RFC 5227, section 2.1.1),
    /// which leaves the tables of its receivers as they are.
    /// </summary>
    public static void WriteRequest(
        Span<byte> frame, EthernetAddress mac, IPAddress sender, IPAddress target) =>
        Write(frame, IfArp.ARPOP_REQUEST, mac, sender, target);

    /// <summary>Takes a frame apart; null when it is not ARP for IPv4 over Ethernet.</summary>
    public static ArpMessage? Read(ReadOnlySpan<byte> frame) =>
        frame.Length >= LengthBytes
        && BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) == IfEther.ETH_P_ARP
        && BinaryPrimitives.ReadUInt16BigEndian(frame[14..]) == IfArp.ARPHRD_ETHER
        && BinaryPrimitives.ReadUInt16BigEndian(frame[16..]) == IfEther.ETH_P_IP
        && frame[18] == IfEther.ETH_ALEN
        && frame[19] == 4
            ? new ArpMessage(
                BinaryPrimitives.ReadUInt16BigEndian(frame[20..]),
                EthernetAddress.Read(frame[22..]),
                new IPAddress(frame.Slice(SenderOffset, 4)),
                new IPAddress(frame.Slice(TargetOffset, 4)))
            : null;

    private static void Write(
        Span<byte> frame, ushort operation, EthernetAddress mac, IPAddress sender, IPAddress target)
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
        sender.TryWriteBytes(frame[SenderOffset..], out _);
        target.TryWriteBytes(frame[TargetOffset..], out _);
    }
}

/// <summary>What an ARP frame says: the sender's MAC and IP address, and the IP address it is about.</summary>
internal readonly record struct ArpMessage(
    ushort Operation, EthernetAddress SenderMac, IPAddress Sender, IPAddress Target);
