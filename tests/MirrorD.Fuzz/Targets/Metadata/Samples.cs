using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>Metadata as the product writes it.</summary>
internal static class Samples
{
    public const long DataBytes = 40L << 20;

    public static Superblock New { get; } = new()
    {
        ResourceId = new Guid("11111111-2222-3333-4444-555555555555"),
        VolumeIndex = 0,
        ResourceName = "mail",
        VolumeName = "data",
        Node = new NodeId(new Guid("aaaaaaaa-0000-0000-0000-000000000001")),
        DataBytes = DataBytes,
        DiskState = DiskState.Inconsistent,
        JustCreated = true,
        CreationSource = CreationSource.Empty,
    };

    public static Superblock Joined { get; } = New with
    {
        Sequence = 17,
        Peer = new NodeId(new Guid("aaaaaaaa-0000-0000-0000-000000000002")),
        PeerBoot = new BootId(new Guid("bbbbbbbb-0000-0000-0000-000000000002")),
        Current = new Generation(5),
        Bitmap = new Generation(4),
        History = [new Generation(3), new Generation(2), new Generation(1)],
        Session = new SessionId(9),
        Promotions = 3,
        PeerSequence = 16,
        DiskState = DiskState.UpToDate,
        PeerDiskState = DiskState.Outdated,
        Proof = new Proof(ProofKind.ArbiterGrant, new SessionId(9)),
        ResyncFrom = new Generation(8),
        PeerExcluded = true,
        PeerMayHaveCurrent = true,
        WasPrimary = true,
        WasAhead = true,
        FullSyncNeeded = true,
        Disconnected = true,
        JustCreated = false,
        VolumeName = "größer\u00a0als",
    };

    public static byte[] Superblock(Superblock superblock)
    {
        byte[] block = new byte[SuperblockCodec.LengthBytes];
        SuperblockCodec.Encode(superblock, block);
        return block;
    }

    public static byte[] Transaction(ulong sequence, params uint[] extents)
    {
        byte[] block = new byte[ActivityLogCodec.LengthBytes];
        ActivityLogCodec.Encode(block, 0, sequence, extents);
        return block;
    }

    public static byte[] Page(int page, params byte[] bits)
    {
        byte[] block = new byte[DirtyPageCodec.LengthBytes];
        DirtyPageCodec.Begin(block, page, 0);
        bits.CopyTo(DirtyPageCodec.Bits(block));
        DirtyPageCodec.Seal(block);
        return block;
    }

    public static byte[] Sealed(ReadOnlySpan<byte> bytes)
    {
        byte[] block = Bytes.Padded(bytes, SuperblockCodec.LengthBytes);
        uint checksum = Crc32C.Append(Crc32C.Compute(block.AsSpan(0, 8)), block.AsSpan(12));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(8), checksum);
        return block;
    }
}
