using System.Buffers.Binary;
using MirrorD.Formats;
using MirrorD.Formats.Watch;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Watch;

/// <summary>A datagram of the watch with all that it may carry: heartbeat entries, control messages.</summary>
internal sealed class WatchDatagramTarget : FuzzTarget
{
    private static readonly WatchKey s_key = new(Bytes.Counting(WatchKey.Bytes), "a", "b");

    public override string Name => "watch-datagram";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Formats/Watch/WatchDatagram.cs", "src/MirrorD.Formats/Watch/WatchHeader.cs",
        "src/MirrorD.Formats/Watch/HeartbeatEntry.cs", "src/MirrorD.Formats/Watch/ControlMessageCodec.cs",
    ];

    public override IReadOnlyList<byte[]> Words => ["MIRW"u8.ToArray()];

    public override IReadOnlyList<int> Fields =>
        [0, 4, 5, 6, 8, 24, 40, 48, 56, 64, 72, 80, 88, 90, 91, 96, 104, 105, 106, 107, 112, 113, 120, 137, 138];

    public override int MostBytes => WatchDatagram.MaxBytes + 8;

    public override long MostAllocatedBytes(int inputBytes) => 16 * 1024 + 16L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        var entry = new HeartbeatEntry
        {
            Resource = new ResourceHash(7),
            Role = Role.Primary,
            DiskState = DiskState.UpToDate,
            IsServing = true,
            Session = new SessionId(9),
            Promotions = 3,
        };
        yield return Heartbeat();
        yield return Heartbeat(entry);
        yield return Heartbeat([.. Enumerable.Repeat(entry, HeartbeatEntry.MaxEntries)]);
        yield return Control(new ControlMessage.OutdateRequest(new SessionId(9), new Generation(5), new Generation(4),
            [new Generation(3), new Generation(2)], 77));
        yield return Control(new ControlMessage.OutdateReply(new SessionId(9), 77, OutdateAnswer.Stored));
        yield return Control(new ControlMessage.Goodbye(true, new SessionId(9), new Generation(5)));
    }

    // Length and MAC.
    public override byte[] FixUp(byte[] input)
    {
        if (input.Length >= WatchHeader.Bytes + WatchDatagram.MacBytes)
        {
            int signed = input.Length - WatchDatagram.MacBytes;
            BinaryPrimitives.WriteUInt16LittleEndian(input.AsSpan(88), (ushort)(signed - WatchHeader.Bytes));
            s_key.ComputeMac(input.AsSpan(0, signed), input.AsSpan(signed));
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        WatchFault fault = WatchDatagram.Open(input, s_key, out WatchHeader header, out ReadOnlySpan<byte> body);
        if (fault != WatchFault.None)
        {
            return;
        }

        byte[] again = new byte[WatchDatagram.MaxBytes];
        switch (header.Type)
        {
            case WatchDatagramType.Heartbeat when HeartbeatEntry.IsValidBody(body):
                BrokenProperty.Unless(body.Length <= HeartbeatEntry.MaxEntries * HeartbeatEntry.Bytes,
                    "entries have a limit");
                for (int at = 0; at < body.Length; at += HeartbeatEntry.Bytes)
                {
                    HeartbeatEntry.Decode(body[at..]).Encode(again.AsSpan(WatchHeader.Bytes + at));
                }

                break;
            case WatchDatagramType.Control when ControlMessageCodec.Decode(body, out ResourceHash resource) is { } message:
                int length = ControlMessageCodec.Encode(resource, message, again.AsSpan(WatchHeader.Bytes));
                BrokenProperty.Unless(length == body.Length, "encoded again it is as long (round trip)");
                break;
            default:
                body.CopyTo(again.AsSpan(WatchHeader.Bytes));
                break;
        }

        int bytes = WatchDatagram.Seal(again, header, body.Length, s_key);
        BrokenProperty.UnlessSame(input, again.AsSpan(0, bytes));
    }

    private static WatchHeader Header(WatchDatagramType type) => new()
    {
        Type = type,
        Path = 257,
        Node = new NodeId(new Guid(1, 0, 0, new byte[8])),
        Boot = new BootId(new Guid(2, 0, 0, new byte[8])),
        Instance = 5,
        Challenge = 6,
        Echo = 7,
        NewcomerEcho = 8,
        Sequence = 1,
        SentNs = 123_456_789,
        HearsReceiver = true,
    };

    private static byte[] Heartbeat(params HeartbeatEntry[] entries)
    {
        byte[] bytes = new byte[WatchDatagram.MaxBytes];
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i].Encode(bytes.AsSpan(WatchHeader.Bytes + i * HeartbeatEntry.Bytes));
        }

        return bytes[..WatchDatagram.Seal(bytes, Header(WatchDatagramType.Heartbeat),
            entries.Length * HeartbeatEntry.Bytes, s_key)];
    }

    private static byte[] Control(ControlMessage message)
    {
        byte[] bytes = new byte[WatchDatagram.MaxBytes];
        int length = ControlMessageCodec.Encode(new ResourceHash(7), message, bytes.AsSpan(WatchHeader.Bytes));
        return bytes[..WatchDatagram.Seal(bytes, Header(WatchDatagramType.Control), length, s_key)];
    }
}
