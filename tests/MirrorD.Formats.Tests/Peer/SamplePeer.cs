using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Formats.Tests.Peer;

/// <summary>The examples whose bytes stand in the tests and on the protocol page.</summary>
internal static class SamplePeer
{
    public const ulong FrameNumber = 5;

    public static SipKey HeaderKey { get; } = SipKey.From(Counting(0, 16));

    public static SessionId Session { get; } = new(0x1122334455667788);

    public static PeerFrame Write { get; } = new()
    {
        Type = PeerFrameType.Write,
        Flags = PeerFrameFlags.ForceUnitAccess,
        Session = Session,
        Sequence = 0x0102030405060708,
        Offset = 0x10000,
        RangeBytes = 4096,
        PayloadBytes = 4096,
        PayloadTag = PayloadTag.Read(Bytes("efbeaddea1a2a3a4b1b2b3b4")),
        Volume = 3,
    };

    public static byte[] SharedKey { get; } = Counting(0, 32);

    public static PeerHello Connector { get; } = new(
        new NodeId(new Guid("a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf")), Counting(0, 32), "mail", true);

    public static PeerHello Listener { get; } = new(
        new NodeId(new Guid("b0b1b2b3-b4b5-b6b7-b8b9-babbbcbdbebf")), Counting(64, 32), "mail", true);

    /// <summary>One message of each kind, with its bytes.</summary>
    public static IReadOnlyList<(PeerMessage Message, string Hex)> Messages { get; } =
    [
        (new PeerMessage.Facts(new byte[] { 1, 2, 3 }), "01 0300 010203"),
        (new PeerMessage.Decision(4, 5, 6), "02 04 05 06"),
        (new PeerMessage.Begin(true, new Generation(0x1111111111111111)), "03 01 1111111111111111"),
        (new PeerMessage.DirtyPage(1, 2, new byte[] { 0xaa, 0xbb }),
            "04 0100000000000000 0200000000000000 0200 aabb"),
        (new PeerMessage.TargetReady(), "05"),
        (new PeerMessage.SourceReady(0x0102030405060708), "06 0807060504030201"),
        (new PeerMessage.Commit(
            new Guid("00112233-4455-6677-8899-aabbccddeeff"), new Generation(0x2222222222222222),
            [new Generation(0x3333333333333333), new Generation(0x4444444444444444)], 7, 9),
            "07 00112233445566778899aabbccddeeff 2222222222222222 0700000000000000 0900000000000000 02"
            + "3333333333333333 4444444444444444"),
        (new PeerMessage.Committed(), "08"),
        (new PeerMessage.Finished(), "09"),
        (new PeerMessage.RoleNotice(Role.Primary, 5), "0a 02 0500000000000000"),
        (new PeerMessage.RoleClaim(true), "0b01"),
        (new PeerMessage.RoleAnswer(false, "no"), "0c 00 0200 6e6f"),
        (new PeerMessage.RequestRole(), "0d"),
        (new PeerMessage.HandOver(6), "0e 0600000000000000"),
        (new PeerMessage.HandOverDone(), "0f"),
        (new PeerMessage.Goodbye(true, new SessionId(0x5555555555555555), new Generation(0x6666666666666666)),
            "10 01 5555555555555555 6666666666666666"),
        (new PeerMessage.DiskLost(true, new SessionId(0x5555555555555555), new Generation(0x6666666666666666)),
            "11 01 5555555555555555 6666666666666666"),
        (new PeerMessage.DiskLossNoted(new Generation(0x1111111111111111)), "12 1111111111111111"),
        (new PeerMessage.SyncPause(true), "13 01"),
        (new PeerMessage.Verified(true, 0x0100, 0x0200, 0x0300, 0x0400),
            "14 01 0001000000000000 0002000000000000 0003000000000000 0004000000000000"),
        (new PeerMessage.LeaveAsk(), "2c"),
        (new PeerMessage.LeaveRefused("no"), "2d 0200 6e6f"),
        (new PeerMessage.InvalidateAsk(true), "2e 01"),
        (new PeerMessage.InvalidateAnswer("no"), "2f 0200 6e6f"),
        (new PeerMessage.GrowAsk(7, true, [0x10000, 0]), "32 0700000000000000 01 02 0000010000000000 0000000000000000"),
        (new PeerMessage.GrowAnswer(7, [0x10000], "no"), "33 0700000000000000 01 0000010000000000 0200 6e6f"),
    ];

    public static byte[] WriteBytes() => Encode(Write);

    public static byte[] Encode(PeerFrame frame)
    {
        byte[] bytes = new byte[PeerFrame.HeaderBytes];
        frame.Encode(bytes, HeaderKey, FrameNumber);
        return bytes;
    }

    public static byte[] Encode(PeerHello hello)
    {
        byte[] bytes = new byte[PeerHello.Bytes];
        Array.Fill(bytes, (byte)0xee);
        hello.Encode(bytes);
        return bytes;
    }

    public static byte[] Counting(int from, int count) =>
        [.. Enumerable.Range(from, count).Select(i => (byte)i)];

    public static byte[] Bytes(string hex) => Convert.FromHexString(
        string.Concat(hex.Where(char.IsAsciiHexDigit)));
}
