using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

public class SuperblockCodecTests
{
    [Fact]
    public void A_superblock_reads_back_as_written()
    {
        SuperblockReading reading = SuperblockCodec.TryDecode(SampleMetadata.SuperblockBytes());
        Assert.Equal(MetadataError.None, reading.Error);
        Assert.True(SampleMetadata.Same(SampleMetadata.Superblock, reading.Superblock!));
    }

    public static TheoryData<string, Superblock> Changes()
    {
        Superblock sample = SampleMetadata.Superblock;
        return new()
        {
            { "sequence", sample with { Sequence = ulong.MaxValue } },
            { "resource-id", sample with { ResourceId = Guid.Empty } },
            { "node", sample with { Node = default } },
            { "peer", sample with { Peer = default } },
            { "peer-boot", sample with { PeerBoot = default } },
            { "data-bytes", sample with { DataBytes = MetadataLayout.MaximumDataBytes } },
            { "extent-bytes", sample with { ExtentBytes = 1 << 24 } },
            { "volume-index", sample with { VolumeIndex = int.MaxValue } },
            { "disk-state", sample with { DiskState = DiskState.Diskless } },
            { "peer-disk-state", sample with { PeerDiskState = DiskState.UpToDate } },
            { "proof", sample with { Proof = sample.Proof with { Kind = ProofKind.OperatorOverride } } },
            { "creation-source", sample with { CreationSource = CreationSource.Empty } },
            { "flags", sample with { PeerExcluded = false } },
            { "flags", sample with { PeerMayHaveCurrent = true } },
            { "flags", sample with { WasPrimary = false } },
            { "flags", sample with { FullSyncNeeded = true } },
            { "flags", sample with { JustCreated = true } },
            { "flags", sample with { WasAhead = true } },
            { "flags", sample with { Disconnected = true } },
            { "current", sample with { Current = default } },
            { "bitmap", sample with { Bitmap = new(ulong.MaxValue) } },
            { "session", sample with { Session = new(1) } },
            { "promotions", sample with { Promotions = ulong.MaxValue } },
            { "peer-sequence", sample with { PeerSequence = 1UL << 63 } },
            { "proof-session", sample with { Proof = sample.Proof with { Session = new(1) } } },
            { "resync-from", sample with { ResyncFrom = default } },
            { "history-count history", sample with { History = [] } },
            { "history-count history",
                sample with { History = [.. Enumerable.Range(1, 32).Select(i => new Generation((uint)i))] } },
            { "resource-name", sample with { ResourceName = new string('x', 63) } },
            { "volume-name", sample with { VolumeName = "größe" } },
        };
    }

    /// <summary>Holds the table of fields to the codec, which the layout page is then held to.</summary>
    [Theory]
    [MemberData(nameof(Changes))]
    public void A_changed_value_changes_its_own_field_and_the_checksum_and_reads_back(
        string fields, Superblock changed)
    {
        byte[] before = SampleMetadata.SuperblockBytes();
        var after = new byte[4096];
        SuperblockCodec.Encode(changed, after);
        Assert.Equal(fields.Split(' ').Append("checksum").Order(), FieldsThatDiffer(before, after));
        Assert.True(SampleMetadata.Same(changed, SuperblockCodec.TryDecode(after).Superblock!));
    }

    [Fact]
    public void The_fields_lie_one_after_the_other_and_fill_the_block()
    {
        foreach (IReadOnlyList<MetadataField> fields in new[]
            { SuperblockCodec.Fields, ActivityLogCodec.Fields, DirtyPageCodec.Fields })
        {
            int at = 0;
            foreach (MetadataField field in fields)
            {
                Assert.Equal(at, field.Offset);
                at += field.LengthBytes;
            }

            Assert.Equal(4096, at);
        }
    }

    [Fact]
    public void A_superblock_with_any_byte_changed_is_rejected()
    {
        byte[] block = SampleMetadata.SuperblockBytes();
        for (int i = 0; i < block.Length; i++)
        {
            foreach (byte flip in (ReadOnlySpan<byte>)[0x01, 0x80, 0xff])
            {
                block[i] ^= flip;
                SuperblockReading reading = SuperblockCodec.TryDecode(block);
                Assert.True(reading.Error is MetadataError.BadMagic or MetadataError.BadChecksum,
                    $"byte {i}: {reading.Error}");
                Assert.Null(reading.Superblock);
                block[i] ^= flip;
            }
        }
    }

    /// <summary>
    /// With the checksum made right again, whatever is accepted must encode to the same bytes.
    /// </summary>
    [Fact]
    public void A_block_that_is_accepted_is_understood_completely()
    {
        byte[] sample = SampleMetadata.SuperblockBytes();
        var random = new Random(7);
        var again = new byte[4096];
        int accepted = 0;
        for (int i = 12; i < 4096; i++)
        {
            byte[] block = [.. sample];
            block[i] ^= (byte)(1 << random.Next(8));
            Reseal(block);
            SuperblockReading reading = SuperblockCodec.TryDecode(block);
            if (reading.Superblock is { } superblock)
            {
                accepted++;
                SuperblockCodec.Encode(superblock, again);
                Assert.True(again.AsSpan().SequenceEqual(block), $"byte {i} was accepted and lost");
            }
        }

        Assert.InRange(accepted, 100, 400);
    }

    public static TheoryData<int, byte, MetadataError, string?> Malformed() => new()
    {
        { 12, 2, MetadataError.UnsupportedVersion, null },
        { 14, 1, MetadataError.ReservedNotZero, null },
        { 112, 128, MetadataError.ReservedNotZero, null },
        { 560, 1, MetadataError.ReservedNotZero, null },
        { 4095, 1, MetadataError.ReservedNotZero, null },
        { 192, 1, MetadataError.ReservedNotZero, null },
        { 95, 0x80, MetadataError.FieldOutOfRange, "data-bytes" },
        { 88, 1, MetadataError.FieldOutOfRange, "data-bytes" },
        { 96, 1, MetadataError.FieldOutOfRange, "block-bytes" },
        { 100, 1, MetadataError.FieldOutOfRange, "extent-bytes" },
        { 107, 0x80, MetadataError.FieldOutOfRange, "volume-index" },
        { 108, 0, MetadataError.FieldOutOfRange, "disk-state" },
        { 108, 7, MetadataError.FieldOutOfRange, "disk-state" },
        { 109, 7, MetadataError.FieldOutOfRange, "peer-disk-state" },
        { 110, 7, MetadataError.FieldOutOfRange, "proof" },
        { 111, 4, MetadataError.FieldOutOfRange, "creation-source" },
        { 116, 33, MetadataError.FieldOutOfRange, "history-count" },
        { 116, 3, MetadataError.FieldOutOfRange, "history" },
        { 432, 0, MetadataError.FieldOutOfRange, "resource-name" },
        { 433, 0xff, MetadataError.FieldOutOfRange, "resource-name" },
        { 495, 1, MetadataError.FieldOutOfRange, "resource-name" },
        { 496, 0, MetadataError.FieldOutOfRange, "volume-name" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void An_intact_block_that_the_format_does_not_allow_is_named(
        int at, byte value, MetadataError expected, string? field)
    {
        byte[] block = SampleMetadata.SuperblockBytes();
        block[at] = value;
        Reseal(block);
        SuperblockReading reading = SuperblockCodec.TryDecode(block);
        Assert.Equal(expected, reading.Error);
        Assert.Equal(field, reading.Field);
    }

    [Fact]
    public void Nothing_and_something_else_are_told_apart()
    {
        Assert.Equal(MetadataError.Empty, SuperblockCodec.TryDecode(new byte[4096]).Error);
        var other = new byte[4096];
        other[4095] = 1;
        Assert.Equal(MetadataError.BadMagic, SuperblockCodec.TryDecode(other).Error);
    }

    [Fact]
    public void What_the_format_does_not_allow_is_not_written()
    {
        Superblock sample = SampleMetadata.Superblock;
        foreach ((string field, Superblock wrong) in new (string, Superblock)[]
        {
            ("resource-name", sample with { ResourceName = new string('x', 64) }),
            ("resource-name", sample with { ResourceName = "" }),
            ("volume-name", sample with { VolumeName = "a\0b" }),
            ("volume-name", sample with { VolumeName = "a\ud800b" }),
            ("history-count", sample with { History = [.. Enumerable.Repeat(new Generation(1), 33)] }),
            ("history", sample with { History = [new(1), default] }),
            ("disk-state", sample with { DiskState = 0 }),
            ("data-bytes", sample with { DataBytes = 0 }),
            ("data-bytes", sample with { DataBytes = 4097 }),
            ("block-bytes", sample with { BlockBytes = 512 }),
        })
        {
            var failure =
                Assert.Throws<ArgumentException>(() => SuperblockCodec.Encode(wrong, new byte[4096]));
            Assert.Contains($"superblock's {field} is", failure.Message);
        }
    }

    [Fact]
    public void Random_bytes_behind_an_intact_header_never_throw()
    {
        var random = new Random(11);
        for (int round = 0; round < 2000; round++)
        {
            byte[] block = SampleMetadata.SuperblockBytes();
            int at = random.Next(16, 560);
            random.NextBytes(block.AsSpan(at, random.Next(1, 560 - at + 1)));
            Reseal(block);
            Assert.NotEqual(MetadataError.BadChecksum, SuperblockCodec.TryDecode(block).Error);
        }
    }

    private static void Reseal(Span<byte> block) =>
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(
        block[8..], Crc32C.Append(Crc32C.Compute(block[..8]), block[12..]));

    private static IEnumerable<string> FieldsThatDiffer(byte[] a, byte[] b) =>
        SuperblockCodec.Fields
            .Where(f => !a.AsSpan(f.Offset, f.LengthBytes).SequenceEqual(b.AsSpan(f.Offset, f.LengthBytes)))
            .Select(f => f.Name).Order();
}
