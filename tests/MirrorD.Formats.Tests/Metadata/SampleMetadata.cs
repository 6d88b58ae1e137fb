using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

/// <summary>The examples whose bytes stand on the layout page, and other inputs of the tests here.</summary>
internal static class SampleMetadata
{
    public static Superblock Superblock { get; } = new()
    {
        ResourceId = new("00112233-4455-6677-8899-aabbccddeeff"),
        ResourceName = "mail",
        VolumeIndex = 1,
        VolumeName = "spool",
        Node = new(new("a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf")),
        Peer = new(new("b0b1b2b3-b4b5-b6b7-b8b9-babbbcbdbebf")),
        PeerBoot = new(new("c0c1c2c3-c4c5-c6c7-c8c9-cacbcccdcecf")),
        DataBytes = 1 << 30,
        Sequence = 0x0102030405060708,
        Current = new(0x1111111111111111),
        Bitmap = new(0x2222222222222222),
        History = [new(0x3333333333333333), new(0x4444444444444444)],
        Session = new(0x5555555555555555),
        Promotions = 7,
        DiskState = DiskState.UpToDate,
        PeerDiskState = DiskState.Outdated,
        PeerSequence = 9,
        Proof = new(ProofKind.ArbiterGrant, new(0x5555555555555555)),
        PeerExcluded = true,
        WasPrimary = true,
        ResyncFrom = new(0x6666666666666666),
        CreationSource = CreationSource.Peer,
    };

    public const ulong LogSequence = 66;

    public static uint[] Extents { get; } = [0, 1, 0x11223344];

    public static byte[] SuperblockBytes()
    {
        var block = new byte[4096];
        Array.Fill(block, (byte)0xaa);
        SuperblockCodec.Encode(Superblock, block);
        return block;
    }

    public static byte[] TransactionBytes()
    {
        var block = new byte[4096];
        Array.Fill(block, (byte)0xaa);
        ActivityLogCodec.Encode(block, 1, LogSequence, Extents);
        return block;
    }

    public static byte[] PageBytes()
    {
        var page = new byte[4096];
        Array.Fill(page, (byte)0xaa);
        DirtyPageCodec.Begin(page, 3, 1);
        Span<byte> bits = DirtyPageCodec.Bits(page);
        bits[0] = 0x81;
        bits[^1] = 0x40;
        DirtyPageCodec.Seal(page);
        return page;
    }

    /// <summary>Equality by value, the history included.</summary>
    public static bool Same(Superblock a, Superblock b) =>
        a with { History = [] } == b with { History = [] } && a.History.SequenceEqual(b.History);
}
