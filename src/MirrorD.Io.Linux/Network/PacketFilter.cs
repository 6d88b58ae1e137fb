using System.Buffers.Binary;
using System.Net;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>
/// Programs that have the kernel drop what a <see cref="PacketSocket"/> need not see. They let a little too
/// much through: who receives looks at the whole frame.
/// </summary>
internal static class PacketFilter
{
    private const uint WholeFrame = 0xffff;

    /// <summary>ARP frames with one of the addresses at one of the offsets (in the frame, bytes).</summary>
    public static sock_filter[] Arp(IReadOnlyCollection<IPAddress> addresses, params int[] offsets) =>
    [
        .. offsets.SelectMany(offset => WordAt(offset, addresses)),
        Return(0),
    ];

    /// <summary>
    /// Neighbour solicitations and advertisements whose target ends as one of the addresses.
    /// </summary>
    public static sock_filter[] Neighbour(IReadOnlyCollection<IPAddress> addresses) =>
    [
        Load(NeighbourFrame.NextHeaderOffset, Filter.BPF_B),
        JumpUnlessEqual(NetinetIn.IPPROTO_ICMPV6, skip: 3),
        Load(NeighbourFrame.TypeOffset, Filter.BPF_B),
        JumpIfEqual(Icmp6.ND_NEIGHBOR_SOLICIT, skip: 2),
        JumpIfEqual(Icmp6.ND_NEIGHBOR_ADVERT, skip: 1),
        Return(0),
        .. WordAt(NeighbourFrame.TargetOffset + 12, addresses),
        Return(0),
    ];

    // Two instructions for each address: a jump reaches 255 instructions at most, so that none goes to a
    // common end.
    private static IEnumerable<sock_filter> WordAt(int offset, IReadOnlyCollection<IPAddress> addresses) =>
    [
        Load(offset, Filter.BPF_W),
        .. addresses.SelectMany(address => (sock_filter[])
        [
            JumpUnlessEqual(BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes().AsSpan()[^4..]), 1),
            Return(WholeFrame),
        ]),
    ];

    private static sock_filter Load(int offset, ushort size) =>
        new() { code = (ushort)(Filter.BPF_LD | size | Filter.BPF_ABS), k = (uint)offset };

    private static sock_filter JumpIfEqual(uint value, byte skip) =>
        new() { code = Filter.BPF_JMP | Filter.BPF_JEQ | Filter.BPF_K, jt = skip, k = value };

    private static sock_filter JumpUnlessEqual(uint value, byte skip) =>
        new() { code = Filter.BPF_JMP | Filter.BPF_JEQ | Filter.BPF_K, jf = skip, k = value };

    private static sock_filter Return(uint bytes) =>
        new() { code = Filter.BPF_RET | Filter.BPF_K, k = bytes };
}
