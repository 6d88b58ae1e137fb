using System.Buffers.Binary;
using System.Net;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Ethernet frames of IPv6 neighbour discovery (RFC 4861, sections 4.3 and 4.4), 78 bytes, 86 with the MAC
/// option: 0 destination, 6 source, 12 type 0x86dd, 14 version 6, 18 length of payload, 20 next header 58,
/// 21 hop limit 255, 22 sender IP, 38 destination IP, 54 type, 55 code 0, 56 checksum, 58 flags, 62 target IP,
/// 78 option: type, length 1, MAC.
/// </summary>
internal static class NeighbourFrame
{
    /// <summary>Length with the option that carries a MAC.</summary>
    public const int MaxLengthBytes = 86;

    /// <summary>Where the next header is named.</summary>
    public const int NextHeaderOffset = 20;

    /// <summary>Where the type of the message is.</summary>
    public const int TypeOffset = 54;

    /// <summary>Where the target address begins.</summary>
    public const int TargetOffset = 62;

    private const int MinLengthBytes = 78;
    private const int MessageOffset = 54;
    private const byte HopLimit = 255; // Says that no router forwarded it.
    private const uint RouterFlag = 0x8000_0000;
    private const uint SolicitedFlag = 0x4000_0000;
    private const uint OverrideFlag = 0x2000_0000;

    private static readonly IPAddress s_allNodes = IPAddress.Parse("ff02::1");

    /// <summary>
    /// Writes an unsolicited advertisement to all nodes (RFC 4861, section 7.2.6): the address is at this MAC
    /// now, whatever was known before. Returns the frame's length.
    /// </summary>
    public static int WriteAdvertisement(
        Span<byte> frame, EthernetAddress mac, IPAddress address, bool isRouter)
    {
        uint flags = OverrideFlag | (isRouter ? RouterFlag : 0);
        return Write(
            frame, Icmp6.ND_NEIGHBOR_ADVERT, mac, address, s_allNodes, flags, address,
            Icmp6.ND_OPT_TARGET_LINKADDR);
    }

    /// <summary>
    /// Writes the question who has an address, to its solicited-node group. The sender :: makes it a probe
    /// (RFC 4862, section 5.4.2). Returns the frame's length.
    /// </summary>
    public static int WriteSolicitation(
        Span<byte> frame, EthernetAddress mac, IPAddress sender, IPAddress target) => Write(
            frame, Icmp6.ND_NEIGHBOR_SOLICIT, mac, sender, SolicitedNodeGroup(target), 0, target,
            // A probe must not name a MAC: nobody has the sender "::".
            sender.Equals(IPAddress.IPv6Any) ? null : Icmp6.ND_OPT_SOURCE_LINKADDR);

    /// <summary>
    /// Takes a frame apart; null when it is neither kind, or not valid (RFC 4861, section 7.1).
    /// </summary>
    public static NeighbourMessage? Read(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < MinLengthBytes
            || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != IfEther.ETH_P_IPV6
            || frame[NextHeaderOffset] != NetinetIn.IPPROTO_ICMPV6
            || frame[21] != HopLimit
            || frame[TypeOffset] is not (Icmp6.ND_NEIGHBOR_SOLICIT or Icmp6.ND_NEIGHBOR_ADVERT)
            || frame[55] != 0)
        {
            return null;
        }

        int end = MessageOffset + BinaryPrimitives.ReadUInt16BigEndian(frame[18..]);
        if (end < MinLengthBytes || end > frame.Length || Checksum(frame[..end]) != 0)
        {
            return null;
        }

        byte option = frame[TypeOffset] == Icmp6.ND_NEIGHBOR_ADVERT
            ? Icmp6.ND_OPT_TARGET_LINKADDR
            : Icmp6.ND_OPT_SOURCE_LINKADDR;
        return new NeighbourMessage(
            frame[TypeOffset],
            MacOption(frame[MinLengthBytes..end], option) ?? EthernetAddress.Read(frame[6..]),
            new IPAddress(frame.Slice(22, 16)),
            new IPAddress(frame.Slice(38, 16)),
            new IPAddress(frame.Slice(TargetOffset, 16)),
            (BinaryPrimitives.ReadUInt32BigEndian(frame[58..]) & SolicitedFlag) != 0);
    }

    /// <summary>The group to which who may have the address listens (RFC 4291, section 2.7.1).</summary>
    public static IPAddress SolicitedNodeGroup(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        return new IPAddress([0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, .. bytes.AsSpan(13)]);
    }

    /// <summary>The Ethernet address of a group (RFC 2464, section 7).</summary>
    public static EthernetAddress MacOf(IPAddress group) =>
        EthernetAddress.Read([0x33, 0x33, .. group.GetAddressBytes().AsSpan(12)]);

    private static int Write(
        Span<byte> frame, byte type, EthernetAddress mac, IPAddress sender, IPAddress destination, uint flags,
        IPAddress target, byte? macOption)
    {
        int length = macOption is null ? MinLengthBytes : MaxLengthBytes;
        frame[..length].Clear();
        MacOf(destination).CopyTo(frame);
        mac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], IfEther.ETH_P_IPV6);
        frame[14] = 6 << 4;
        BinaryPrimitives.WriteUInt16BigEndian(frame[18..], (ushort)(length - MessageOffset));
        frame[NextHeaderOffset] = NetinetIn.IPPROTO_ICMPV6;
        frame[21] = HopLimit;
        sender.TryWriteBytes(frame[22..], out _);
        destination.TryWriteBytes(frame[38..], out _);
        frame[TypeOffset] = type;
        BinaryPrimitives.WriteUInt32BigEndian(frame[58..], flags);
        target.TryWriteBytes(frame[TargetOffset..], out _);
        if (macOption is { } option)
        {
            frame[78] = option;
            frame[79] = 1; // In units of 8 bytes.
            mac.CopyTo(frame[80..]);
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame[56..], Checksum(frame[..length]));
        return length;
    }

    /// <summary>
    /// Checksum over addresses, length, next header and message (RFC 4443, section 2.3); 0 when the frame
    /// carries the right one already.
    /// </summary>
    private static ushort Checksum(ReadOnlySpan<byte> frame)
    {
        uint sum = (uint)(frame.Length - MessageOffset) + NetinetIn.IPPROTO_ICMPV6;
        for (int i = 22; i < frame.Length; i += 2)
        {
            sum += i + 1 < frame.Length
                ? BinaryPrimitives.ReadUInt16BigEndian(frame[i..])
                : (uint)frame[i] << 8;
        }

        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static EthernetAddress? MacOption(ReadOnlySpan<byte> options, byte type)
    {
        while (options.Length >= 8 && options[1] != 0 && 8 * options[1] <= options.Length)
        {
            if (options[0] == type)
            {
                return EthernetAddress.Read(options[2..]);
            }

            options = options[(8 * options[1])..];
        }

        return null;
    }
}

/// <summary>
/// What a frame of neighbour discovery says. The MAC is that of the target's owner in an advertisement, of the
/// sender in a solicitation; solicited says that an advertisement answers its destination's question.
/// </summary>
internal readonly record struct NeighbourMessage(
    byte Type, EthernetAddress Mac, IPAddress Sender, IPAddress Destination, IPAddress Target, bool IsSolicited);
