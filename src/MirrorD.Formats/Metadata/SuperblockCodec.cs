using System.Buffers.Binary;
using System.Text;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// A superblock slot on disk: 4096 bytes, little-endian, identifiers (UUIDs) in the order in which they are
/// written down, names in UTF-8 padded with zeroes, everything unused zero. <see cref="Fields"/> is the
/// layout.
/// </summary>
public static partial class SuperblockCodec
{
    /// <summary>Bytes of an encoded superblock.</summary>
    public const int LengthBytes = MetadataBlock.LengthBytes;

    /// <summary>Generations that the history keeps.</summary>
    public const int MaximumHistory = 32;

    /// <summary>Longest resource or volume name, in bytes of UTF-8.</summary>
    public const int MaximumNameBytes = 63;

    private const int SequenceAt = 16;
    private const int ResourceIdAt = 24;
    private const int NodeAt = 40;
    private const int PeerAt = 56;
    private const int PeerBootAt = 72;
    private const int DataBytesAt = 88;
    private const int BlockBytesAt = 96;
    private const int ExtentBytesAt = 100;
    private const int VolumeIndexAt = 104;
    private const int DiskStateAt = 108;
    private const int PeerDiskStateAt = 109;
    private const int ProofKindAt = 110;
    private const int CreationSourceAt = 111;
    private const int FlagsAt = 112;
    private const int HistoryCountAt = 116;
    private const int CurrentAt = 120;
    private const int BitmapAt = 128;
    private const int SessionAt = 136;
    private const int PromotionsAt = 144;
    private const int PeerSequenceAt = 152;
    private const int ProofSessionAt = 160;
    private const int ResyncFromAt = 168;
    private const int HistoryAt = 176;
    private const int ResourceNameAt = HistoryAt + MaximumHistory * sizeof(ulong);
    private const int VolumeNameAt = ResourceNameAt + MaximumNameBytes + 1;
    private const int EndOfFields = VolumeNameAt + MaximumNameBytes + 1;

    private const uint PeerExcludedFlag = 1;
    private const uint PeerMayHaveCurrentFlag = 2;
    private const uint WasPrimaryFlag = 4;
    private const uint FullSyncNeededFlag = 8;
    private const uint JustCreatedFlag = 16;
    private const uint WasAheadFlag = 32;
    private const uint DisconnectedFlag = 64;
    private const uint AllFlags = 127;

    /// <summary>First bytes of every superblock.</summary>
    public static ReadOnlySpan<byte> Magic => "MRDSUPER"u8;

    /// <summary>Every field in order, without a gap; the last one is the reserved rest.</summary>
    public static IReadOnlyList<MetadataField> Fields { get; } =
    [
        new(0, 8, "magic"),
        new(8, 4, "checksum"),
        new(12, 2, "version"),
        new(14, 2, "reserved"),
        new(SequenceAt, 8, "sequence"),
        new(ResourceIdAt, 16, "resource-id"),
        new(NodeAt, 16, "node"),
        new(PeerAt, 16, "peer"),
        new(PeerBootAt, 16, "peer-boot"),
        new(DataBytesAt, 8, "data-bytes"),
        new(BlockBytesAt, 4, "block-bytes"),
        new(ExtentBytesAt, 4, "extent-bytes"),
        new(VolumeIndexAt, 4, "volume-index"),
        new(DiskStateAt, 1, "disk-state"),
        new(PeerDiskStateAt, 1, "peer-disk-state"),
        new(ProofKindAt, 1, "proof"),
        new(CreationSourceAt, 1, "creation-source"),
        new(FlagsAt, 4, "flags"),
        new(HistoryCountAt, 4, "history-count"),
        new(CurrentAt, 8, "current"),
        new(BitmapAt, 8, "bitmap"),
        new(SessionAt, 8, "session"),
        new(PromotionsAt, 8, "promotions"),
        new(PeerSequenceAt, 8, "peer-sequence"),
        new(ProofSessionAt, 8, "proof-session"),
        new(ResyncFromAt, 8, "resync-from"),
        new(HistoryAt, MaximumHistory * sizeof(ulong), "history"),
        new(ResourceNameAt, MaximumNameBytes + 1, "resource-name"),
        new(VolumeNameAt, MaximumNameBytes + 1, "volume-name"),
        new(EndOfFields, LengthBytes - EndOfFields, "reserved"),
    ];

    /// <summary>Encodes over the whole block.</summary>
    /// <param name="superblock">What to store.</param>
    /// <param name="block">4096 bytes.</param>
    /// <exception cref="ArgumentException">A field is out of the range that the format allows.</exception>
    public static void Encode(Superblock superblock, Span<byte> block)
    {
        if (FirstFieldOutOfRange(superblock) is { } field)
        {
            throw new ArgumentException($"The superblock's {field} is out of range.", nameof(superblock));
        }

        MetadataBlock.Begin(block, Magic);
        PutUInt64(block, SequenceAt, superblock.Sequence);
        PutGuid(block, ResourceIdAt, superblock.ResourceId);
        PutGuid(block, NodeAt, superblock.Node.Value);
        PutGuid(block, PeerAt, superblock.Peer.Value);
        PutGuid(block, PeerBootAt, superblock.PeerBoot.Value);
        PutUInt64(block, DataBytesAt, (ulong)superblock.DataBytes);
        PutUInt32(block, BlockBytesAt, (uint)superblock.BlockBytes);
        PutUInt32(block, ExtentBytesAt, (uint)superblock.ExtentBytes);
        PutUInt32(block, VolumeIndexAt, (uint)superblock.VolumeIndex);
        block[DiskStateAt] = (byte)superblock.DiskState;
        block[PeerDiskStateAt] = (byte)superblock.PeerDiskState;
        block[ProofKindAt] = (byte)superblock.Proof.Kind;
        block[CreationSourceAt] = (byte)superblock.CreationSource;
        PutUInt32(block, FlagsAt, FlagsOf(superblock));
        PutUInt32(block, HistoryCountAt, (uint)superblock.History.Count);
        PutUInt64(block, CurrentAt, superblock.Current.Value);
        PutUInt64(block, BitmapAt, superblock.Bitmap.Value);
        PutUInt64(block, SessionAt, superblock.Session.Value);
        PutUInt64(block, PromotionsAt, superblock.Promotions);
        PutUInt64(block, PeerSequenceAt, superblock.PeerSequence);
        PutUInt64(block, ProofSessionAt, superblock.Proof.Session.Value);
        PutUInt64(block, ResyncFromAt, superblock.ResyncFrom.Value);
        for (int i = 0; i < superblock.History.Count; i++)
        {
            PutUInt64(block, HistoryAt + i * sizeof(ulong), superblock.History[i].Value);
        }

        Encoding.UTF8.GetBytes(superblock.ResourceName, block.Slice(ResourceNameAt, MaximumNameBytes));
        Encoding.UTF8.GetBytes(superblock.VolumeName, block.Slice(VolumeNameAt, MaximumNameBytes));
        MetadataBlock.Seal(block);
    }

    private static uint FlagsOf(Superblock superblock) =>
        (superblock.PeerExcluded ? PeerExcludedFlag : 0)
        | (superblock.PeerMayHaveCurrent ? PeerMayHaveCurrentFlag : 0)
        | (superblock.WasPrimary ? WasPrimaryFlag : 0)
        | (superblock.FullSyncNeeded ? FullSyncNeededFlag : 0)
        | (superblock.JustCreated ? JustCreatedFlag : 0)
        | (superblock.WasAhead ? WasAheadFlag : 0)
        | (superblock.Disconnected ? DisconnectedFlag : 0);

    private static void PutUInt32(Span<byte> block, int at, uint value) =>
        BinaryPrimitives.WriteUInt32LittleEndian(block[at..], value);

    private static void PutUInt64(Span<byte> block, int at, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(block[at..], value);

    private static void PutGuid(Span<byte> block, int at, Guid value) =>
        value.TryWriteBytes(block[at..], bigEndian: true, out _);
}
