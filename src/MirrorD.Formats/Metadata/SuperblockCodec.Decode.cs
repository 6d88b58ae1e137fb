using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace MirrorD.Formats.Metadata;

/// <summary>Reading and the ranges of the fields.</summary>
public static partial class SuperblockCodec
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads a slot: the superblock, or why there is none.</summary>
    /// <param name="block">4096 bytes.</param>
    public static SuperblockReading TryDecode(ReadOnlySpan<byte> block)
    {
        MetadataError error = MetadataBlock.Check(block, Magic);
        if (error != MetadataError.None)
        {
            return new(null, error);
        }

        uint flags = UInt32(block, FlagsAt);
        uint historyCount = UInt32(block, HistoryCountAt);
        if ((flags & ~AllFlags) != 0 || !MetadataBlock.IsZero(block[EndOfFields..]))
        {
            return new(null, MetadataError.ReservedNotZero);
        }

        if (historyCount > MaximumHistory)
        {
            return new(null, MetadataError.FieldOutOfRange, "history-count");
        }

        int historyEnd = HistoryAt + (int)historyCount * sizeof(ulong);
        if (!MetadataBlock.IsZero(block[historyEnd..ResourceNameAt]))
        {
            return new(null, MetadataError.ReservedNotZero);
        }

        if (Name(block.Slice(ResourceNameAt, MaximumNameBytes + 1)) is not { } resourceName)
        {
            return new(null, MetadataError.FieldOutOfRange, "resource-name");
        }

        if (Name(block.Slice(VolumeNameAt, MaximumNameBytes + 1)) is not { } volumeName)
        {
            return new(null, MetadataError.FieldOutOfRange, "volume-name");
        }

        var history = new Generation[historyCount];
        for (int i = 0; i < history.Length; i++)
        {
            history[i] = new(UInt64(block, HistoryAt + i * sizeof(ulong)));
        }

        Superblock superblock = Read(block, flags, history, resourceName, volumeName);
        return FirstFieldOutOfRange(superblock) is { } field
            ? new(null, MetadataError.FieldOutOfRange, field)
            : new(superblock, MetadataError.None);
    }

    /// <summary>The name of the first field that the format does not allow, or null.</summary>
    public static string? FirstFieldOutOfRange(Superblock superblock) => superblock switch
    {
        { VolumeIndex: < 0 } => "volume-index",
        { DataBytes: <= 0 or > MetadataLayout.MaximumDataBytes } => "data-bytes",
        _ when superblock.DataBytes % MetadataLayout.BlockBytes != 0 => "data-bytes",
        { BlockBytes: not MetadataLayout.BlockBytes } => "block-bytes",
        { ExtentBytes: < 1 << 20 or > 1 << 30 } => "extent-bytes",
        _ when !BitOperations.IsPow2(superblock.ExtentBytes) => "extent-bytes",
        { DiskState: < DiskState.Diskless or > DiskState.UpToDate } => "disk-state",
        { PeerDiskState: < DiskState.Diskless or > DiskState.UpToDate } => "peer-disk-state",
        { Proof.Kind: > ProofKind.OperatorOverride } => "proof",
        { CreationSource: > CreationSource.Empty } => "creation-source",
        { History.Count: > MaximumHistory } => "history-count",
        _ when superblock.History.Contains(Generation.None) => "history",
        _ when !IsName(superblock.ResourceName) => "resource-name",
        _ when !IsName(superblock.VolumeName) => "volume-name",
        _ => null,
    };

    private static Superblock Read(
        ReadOnlySpan<byte> block, uint flags, Generation[] history, string resourceName,
        string volumeName) => new()
        {
            Sequence = UInt64(block, SequenceAt),
            ResourceId = Identifier(block, ResourceIdAt),
            ResourceName = resourceName,
            VolumeIndex = (int)UInt32(block, VolumeIndexAt),
            VolumeName = volumeName,
            Node = new(Identifier(block, NodeAt)),
            Peer = new(Identifier(block, PeerAt)),
            PeerBoot = new(Identifier(block, PeerBootAt)),
            DataBytes = (long)UInt64(block, DataBytesAt),
            BlockBytes = (int)UInt32(block, BlockBytesAt),
            ExtentBytes = (int)UInt32(block, ExtentBytesAt),
            DiskState = (DiskState)block[DiskStateAt],
            PeerDiskState = (DiskState)block[PeerDiskStateAt],
            Proof = new((ProofKind)block[ProofKindAt], new(UInt64(block, ProofSessionAt))),
            CreationSource = (CreationSource)block[CreationSourceAt],
            Current = new(UInt64(block, CurrentAt)),
            Bitmap = new(UInt64(block, BitmapAt)),
            History = history,
            Session = new(UInt64(block, SessionAt)),
            Promotions = UInt64(block, PromotionsAt),
            PeerSequence = UInt64(block, PeerSequenceAt),
            ResyncFrom = new(UInt64(block, ResyncFromAt)),
            PeerExcluded = (flags & PeerExcludedFlag) != 0,
            PeerMayHaveCurrent = (flags & PeerMayHaveCurrentFlag) != 0,
            WasPrimary = (flags & WasPrimaryFlag) != 0,
            FullSyncNeeded = (flags & FullSyncNeededFlag) != 0,
            JustCreated = (flags & JustCreatedFlag) != 0,
            WasAhead = (flags & WasAheadFlag) != 0,
            Disconnected = (flags & DisconnectedFlag) != 0,
        };

    private static bool IsName(string name) =>
        name.Length > 0 && !name.Contains('\0') && Encoding.UTF8.GetByteCount(name) <= MaximumNameBytes
        && !name.Any(char.IsSurrogate);

    /// <summary>A name padded with zeroes; null when it is not one.</summary>
    private static string? Name(ReadOnlySpan<byte> padded)
    {
        int length = padded.IndexOf((byte)0);
        if (length <= 0 || !MetadataBlock.IsZero(padded[length..]))
        {
            return null;
        }

        try
        {
            return StrictUtf8.GetString(padded[..length]);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static uint UInt32(ReadOnlySpan<byte> block, int at) =>
        BinaryPrimitives.ReadUInt32LittleEndian(block[at..]);

    private static ulong UInt64(ReadOnlySpan<byte> block, int at) =>
        BinaryPrimitives.ReadUInt64LittleEndian(block[at..]);

    private static Guid Identifier(ReadOnlySpan<byte> block, int at) =>
        new(block.Slice(at, 16), bigEndian: true);
}
