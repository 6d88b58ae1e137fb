using MirrorD.Formats.Watch;

namespace MirrorD.Formats.Tests.Watch;

/// <summary>The examples whose bytes stand in the tests and on the protocol page.</summary>
internal static class SampleWatch
{
    public static byte[] ClusterKey { get; } = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    public static WatchKey Key { get; } = new(ClusterKey, "a", "b");

    public static WatchHeader Header { get; } = new()
    {
        Type = WatchDatagramType.Heartbeat,
        Path = 0x0102,
        Node = new NodeId(new Guid("a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf")),
        Boot = new BootId(new Guid("b0b1b2b3-b4b5-b6b7-b8b9-babbbcbdbebf")),
        Instance = 0x1111111111111101,
        Challenge = 0x2222222222222202,
        Echo = 0x3333333333333303,
        NewcomerEcho = 0x4444444444444404,
        Sequence = 0x5555555555555505,
        SentNs = 0x6666666666666606,
        HearsReceiver = true,
    };

    public static HeartbeatEntry Mail { get; } = new()
    {
        Resource = ResourceHash.Of("mail"),
        Role = Role.Primary,
        DiskState = DiskState.UpToDate,
        IsServing = true,
        Session = new SessionId(0x0807060504030201),
        Promotions = 7,
    };

    public static HeartbeatEntry Www { get; } = new()
    {
        Resource = ResourceHash.Of("www"),
        Role = Role.Standby,
        DiskState = DiskState.Outdated,
        IsStuck = true,
    };

    /// <summary>Made by another implementation of the protocol page (Python's hmac and struct).</summary>
    public const string HeartbeatHex = """
        4d495257 01010201 a0a1a2a3 a4a5a6a7
        a8a9aaab acadaeaf b0b1b2b3 b4b5b6b7
        b8b9babb bcbdbebf 01111111 11111111
        02222222 22222222 03333333 33333333
        04444444 44444444 05555555 55555555
        06666666 66666666 40000100 00000000
        00d8d3f1 1739d2f3 02060100 00000000
        01020304 05060708 07000000 00000000
        7c2ecd07 f1556484 01040200 00000000
        00000000 00000000 00000000 00000000
        9cce1753 7aaa34f7 9cab9181 51c04ee9
        741f72cf 583dd32c f98075f7 ebe19168
        """;

    /// <summary>One message of each kind, for the resource "mail", with the body's bytes.</summary>
    public static IReadOnlyList<(ControlMessage Message, string Hex)> Messages { get; } =
    [
        (new ControlMessage.OutdateRequest(
            new SessionId(1), new Generation(2), new Generation(3),
            [new Generation(5), new Generation(6)], 4),
            "00d8d3f11739d2f3 01 0100000000000000 0200000000000000 0300000000000000 0400000000000000"
            + " 02 0500000000000000 0600000000000000"),
        (new ControlMessage.OutdateReply(new SessionId(1), 4, OutdateAnswer.HoldsProof),
            "00d8d3f11739d2f3 02 0100000000000000 0400000000000000 03"),
        (new ControlMessage.Goodbye(true, new SessionId(1), new Generation(2)),
            "00d8d3f11739d2f3 03 01 0100000000000000 0200000000000000"),
    ];

    public static byte[] Bytes(string hex) => Convert.FromHexString(
        string.Concat(hex.Where(c => !char.IsWhiteSpace(c))));

    /// <summary>A sealed heartbeat that tells of these resources.</summary>
    public static byte[] Heartbeat(WatchHeader header, params HeartbeatEntry[] entries)
    {
        byte[] buffer = new byte[WatchDatagram.MaxBytes];
        Array.Fill(buffer, (byte)0xee);
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i].Encode(buffer.AsSpan(WatchHeader.Bytes + (i * HeartbeatEntry.Bytes)));
        }

        return buffer[..WatchDatagram.Seal(buffer, header, entries.Length * HeartbeatEntry.Bytes, Key)];
    }

    public static byte[] Encode(ControlMessage message)
    {
        byte[] to = new byte[ControlMessageCodec.MaxBodyBytes];
        return to[..ControlMessageCodec.Encode(ResourceHash.Of("mail"), message, to)];
    }
}
