using MirrorD.Formats.Peer;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>The header of a frame.</summary>
internal sealed class PeerFrameTarget : FuzzTarget
{
    public override string Name => "peer-frame";

    public override IReadOnlyList<string> Files =>
        ["src/MirrorD.Formats/Peer/PeerFrame.cs", "src/MirrorD.Formats/Peer/SipHash.cs"];

    public override IReadOnlyList<int> Fields => [0, 4, 5, 6, 8, 16, 24, 32, 36, 40, 42, 44, 52, 56];

    public override int MostBytes => PeerFrame.HeaderBytes;

    public override IEnumerable<byte[]> Seeds() =>
        Frames.OfEachType().Select(each => Frames.Encode([each])[..PeerFrame.HeaderBytes]);

    public override byte[] FixUp(byte[] input) => Frames.FixUp(Bytes.Padded(input, PeerFrame.HeaderBytes));

    public override void Run(byte[] input)
    {
        byte[] header = Bytes.Padded(input, PeerFrame.HeaderBytes);
        bool isGood = PeerFrame.TryDecode(header, Frames.Keys.FromConnector, 0, Frames.Keys.Session, out PeerFrame frame,
            out string error);
        BrokenProperty.Unless(isGood == (error.Length == 0), "a frame, or what is wrong with it");
        if (isGood)
        {
            byte[] again = new byte[PeerFrame.HeaderBytes];
            frame.Encode(again, Frames.Keys.FromConnector, 0);
            BrokenProperty.UnlessSame(header, again);
            BrokenProperty.Unless(frame.PayloadBytes <= PeerFrame.MaxDataBytes, "a payload fits into a slot");
            BrokenProperty.Unless(
                frame.Type != PeerFrameType.Message || frame.PayloadBytes is > 0 and <= PeerFrame.MaxMessageBytes,
                "a message has a limit");
            BrokenProperty.Unless(frame.PayloadBytes > 0 || frame.PayloadTag == default, "no payload, no tag");
            bool isRead = frame.Type is PeerFrameType.Read or PeerFrameType.HashQuestion or PeerFrameType.CopyZero;
            BrokenProperty.Unless(!isRead || frame.RangeBytes is > 0 and <= PeerFrame.MaxDataBytes,
                "a read fits into a slot");
            BrokenProperty.Unless(frame.RangeBytes <= PeerFrame.MaxZeroBytes, "a range has a limit");
        }
    }
}
