using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Peer;

/// <summary>What a peer says that it has stored.</summary>
internal sealed class HandshakeFactsTarget : FuzzTarget
{
    public static HandshakeFacts Sample { get; } = new()
    {
        Node = new NodeId(new Guid(1, 0, 0, new byte[8])),
        Boot = new BootId(new Guid(2, 0, 0, new byte[8])),
        PeerBoot = new BootId(new Guid(3, 0, 0, new byte[8])),
        Current = new Generation(5),
        Bitmap = new Generation(4),
        History = [new Generation(3), new Generation(2)],
        Session = new SessionId(9),
        Promotions = 2,
        DiskState = DiskState.UpToDate,
        SyncSetBlocks = 17,
        Volumes = [new VolumeFacts(1 << 20, 7, 6) { RoomBytes = 1 << 21, WantedBytes = 0 }],
    };

    public override string Name => "handshake-facts";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Core/Handshake/HandshakeFactsCodec.cs"];

    public override IReadOnlyList<int> Fields =>
        [0, 2, 4, 5, 6, 7, 8, 24, 40, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144];

    public override int MostBytes => HandshakeFactsCodec.MaximumBytes + 64;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Encoded(Sample);
        yield return Encoded(Sample with { History = [] });
        yield return Encoded(Sample with { Volumes = [Sample.Volumes[0], Sample.Volumes[0]], Mode = ReplicationMode.Memory });
        yield return Encoded(Sample with
        {
            Mode = ReplicationMode.Async,
            SplitBrainPolicy = SplitBrainPolicy.DiscardUnchanged,
            CreationSource = CreationSource.Empty,
            JustCreated = true,
        });
        yield return Encoded(
            Sample with { IsPrimary = true, HasProof = true, SplitBrainPolicy = SplitBrainPolicy.DiscardStandby });
    }

    // The number of volumes that fits the length.
    public override byte[] FixUp(byte[] input)
    {
        int volumes = input.Length < 136 ? 0 : (input.Length - 96 - 8 * (input[6] & 31)) / 40;
        if (volumes is > 0 and <= 66)
        {
            input[6] &= 31;
            input[7] = (byte)volumes;
            return input[..(96 + 8 * input[6] + 40 * volumes)];
        }

        return input;
    }

    public override void Run(byte[] input)
    {
        string? error = HandshakeFactsCodec.TryDecode(input, out HandshakeFacts? facts);
        BrokenProperty.Unless(error is null != facts is null, "facts, or what is wrong with them");
        if (facts is not null)
        {
            BrokenProperty.UnlessSame(input, Encoded(facts));
            BrokenProperty.Unless(facts.SyncSetBlocks >= 0, "blocks are counted from 0");
            BrokenProperty.Unless(
                facts.Volumes.All(volume => volume.DataBytes is > 0 and <= MetadataLayout.MaximumDataBytes),
                    "a volume has a size");
        }
    }

    public static byte[] Encoded(HandshakeFacts facts)
    {
        byte[] bytes = new byte[HandshakeFactsCodec.MaximumBytes];
        return bytes[..HandshakeFactsCodec.Encode(facts, bytes)];
    }
}
