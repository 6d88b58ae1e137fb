using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Handshake;

/// <summary>Two sides that differ in nothing but their node: the tests change what they are about.</summary>
internal static class Facts
{
    public static readonly Guid BootOfA = new("000000a0-0000-0000-0000-000000000000");
    public static readonly Guid BootOfB = new("000000b0-0000-0000-0000-000000000000");

    public static HandshakeFacts A { get; } = new()
    {
        Node = new(new Guid("0000000a-0000-0000-0000-000000000000")),
        Boot = new(BootOfA),
        PeerBoot = new(BootOfB),
        Current = new(1),
        DiskState = DiskState.UpToDate,
        Volumes = [new(1 << 20, 10, 10)],
    };

    public static HandshakeFacts B { get; } = A with
    {
        Node = new(new Guid("0000000b-0000-0000-0000-000000000000")),
        Boot = new(BootOfB),
        PeerBoot = new(BootOfA),
    };

    public static Generation[] Generations(params ulong[] values) =>
        [.. values.Select(v => new Generation(v))];

    /// <summary>
    /// Decides on both sides, checks that they mirror each other, gives the first side's decision.
    /// </summary>
    public static HandshakeDecision Decide(HandshakeFacts a, HandshakeFacts b)
    {
        HandshakeDecision decision = HandshakeTable.Decide(a, b);
        Assert.Equal(decision.Mirrored, HandshakeTable.Decide(b, a));
        return decision;
    }
}
