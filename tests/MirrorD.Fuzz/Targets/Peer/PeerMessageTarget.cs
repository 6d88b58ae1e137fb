using MirrorD.Formats;
using MirrorD.Formats.Peer;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>A control message of the link.</summary>
internal sealed class PeerMessageTarget : FuzzTarget
{
    public override string Name => "peer-message";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Formats/Peer/PeerMessageCodec.cs", "src/MirrorD.Formats/FieldReader.cs"];

    public override IReadOnlyList<int> Fields => [0, 1, 2, 3, 9, 17, 25, 33, 41, 42];

    public override int MostBytes => PeerFrame.MaxMessageBytes;

    public override long MostAllocatedBytes(int inputBytes) => 16 * 1024 + 16L * inputBytes;

    public override IEnumerable<byte[]> Seeds() => Messages().Select(PeerMessageCodec.Encode);

    public override void Run(byte[] input)
    {
        if (PeerMessageCodec.Decode(input) is not { } message)
        {
            return;
        }

        byte[] again = PeerMessageCodec.Encode(message);
        string? text = message switch
        {
            PeerMessage.RoleAnswer m => m.Reason,
            PeerMessage.LeaveRefused m => m.Reason,
            PeerMessage.InvalidateAnswer m => m.Reason,
            PeerMessage.GrowAnswer m => m.Reason,
            _ => null,
        };

        // Bytes that are no UTF-8 are replaced in a text.
        if (text is null || !text.Contains('\ufffd'))
        {
            BrokenProperty.UnlessSame(input, again);
        }

        BrokenProperty.Unless(message is not PeerMessage.DirtyPage { Volume: < 0 }, "a volume is a number from 0");
        BrokenProperty.Unless(message is not PeerMessage.DirtyPage { Page: < 0 }, "a page is a number from 0");
        BrokenProperty.Unless(message is not PeerMessage.SourceReady { SyncBytes: < 0 }, "bytes are counted from 0");
        BrokenProperty.Unless(
            message is not PeerMessage.Commit commit || commit.History.Count <= 32, "a history has a limit");
    }

    private static IEnumerable<PeerMessage> Messages() =>
    [
        new PeerMessage.Facts(HandshakeFactsTarget.Encoded(HandshakeFactsTarget.Sample)),
        new PeerMessage.Decision(3, 1, 2),
        new PeerMessage.Begin(true, new Generation(5)),
        new PeerMessage.DirtyPage(1, 2, Bytes.Counting(40)),
        new PeerMessage.TargetReady(),
        new PeerMessage.SourceReady(1 << 20),
        new PeerMessage.Commit(Guid.Empty, new Generation(7), [new Generation(6), new Generation(5)], 3, 12),
        new PeerMessage.Committed(),
        new PeerMessage.Finished(),
        new PeerMessage.RoleNotice(Role.Standby, 4),
        new PeerMessage.RoleClaim(true),
        new PeerMessage.RoleAnswer(false, "busy"),
        new PeerMessage.RequestRole(),
        new PeerMessage.HandOver(5),
        new PeerMessage.HandOverDone(),
        new PeerMessage.Goodbye(true, new SessionId(2), new Generation(3)),
        new PeerMessage.DiskLost(true, new SessionId(2), new Generation(3)),
        new PeerMessage.DiskLossNoted(new Generation(3)),
        new PeerMessage.SyncPause(true),
        new PeerMessage.Verified(true, 4096, 0, 0, 0),
        new PeerMessage.LeaveAsk(),
        new PeerMessage.LeaveRefused("größer"),
        new PeerMessage.InvalidateAsk(true),
        new PeerMessage.InvalidateAnswer(""),
        new PeerMessage.GrowAsk(1, false, [4096, 0]),
        new PeerMessage.GrowAnswer(1, [4096, 0], "full"),
    ];
}
