using System.Buffers.Binary;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

public class ActivityLogTests
{
    private const int Slots = MetadataLayout.LogSlots;

    [Fact]
    public void A_transaction_reads_back_as_written_empty_and_full()
    {
        foreach (uint[] extents in new[]
        {
            [], SampleMetadata.Extents, [uint.MaxValue], [.. Enumerable.Range(5, 1008).Select(i => (uint)i)],
        })
        {
            var block = new byte[4096];
            ActivityLogCodec.Encode(block, 2, 77, extents);
            Assert.Equal(MetadataError.None, Decode(block, 2, out ulong sequence, out uint[] read));
            Assert.Equal(77UL, sequence);
            Assert.Equal(extents, read);
        }
    }

    [Fact]
    public void A_transaction_with_any_byte_changed_is_rejected()
    {
        byte[] block = SampleMetadata.TransactionBytes();
        for (int i = 0; i < block.Length; i++)
        {
            foreach (byte flip in (ReadOnlySpan<byte>)[0x01, 0x80, 0xff])
            {
                block[i] ^= flip;
                MetadataError error = Decode(block, 1, out _, out _);
                Assert.True(error is MetadataError.BadMagic or MetadataError.BadChecksum,
                    $"byte {i}: {error}");
                block[i] ^= flip;
            }
        }
    }

    [Theory]
    [InlineData(12, 2, MetadataError.UnsupportedVersion)]
    [InlineData(14, 1, MetadataError.ReservedNotZero)]
    [InlineData(16, 0, MetadataError.FieldOutOfRange)] // sequence 0
    [InlineData(24, 2, MetadataError.Misplaced)]
    [InlineData(28, 2, MetadataError.ReservedNotZero)] // an extent beyond the count
    [InlineData(28, 4, MetadataError.FieldOutOfRange)] // count reaches zeroes, which do not ascend
    [InlineData(29, 4, MetadataError.FieldOutOfRange)] // more than fit
    [InlineData(31, 0x80, MetadataError.FieldOutOfRange)]
    [InlineData(32, 1, MetadataError.ReservedNotZero)]
    [InlineData(64, 1, MetadataError.FieldOutOfRange)] // the same extent twice
    [InlineData(4095, 1, MetadataError.ReservedNotZero)]
    public void An_intact_block_that_the_format_does_not_allow_is_named(
        int at, byte value, MetadataError expected)
    {
        byte[] block = SampleMetadata.TransactionBytes();
        block[at] = value;
        BinaryPrimitives.WriteUInt32LittleEndian(
            block.AsSpan(8), Crc32C.Append(Crc32C.Compute(block.AsSpan(0, 8)), block.AsSpan(12)));
        Assert.Equal(expected, Decode(block, 1, out _, out _));
    }

    [Fact]
    public void Extents_that_are_not_an_ascending_set_are_not_written()
    {
        Assert.Throws<ArgumentException>(() => ActivityLogCodec.Encode(new byte[4096], 0, 1, [2, 1]));
        Assert.Throws<ArgumentException>(() => ActivityLogCodec.Encode(new byte[4096], 0, 1, [2, 2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ActivityLogCodec.Encode(new byte[4096], 0, 0, []));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => ActivityLogCodec.Encode(
                new byte[4096], 0, 1, new uint[ActivityLogCodec.MaximumExtents + 1]));
    }

    [Fact]
    public void The_highest_number_wins_wherever_the_ring_has_come_to()
    {
        for (ulong last = 1; last < 3 * Slots; last++)
        {
            ActivityLogReading reading = ActivityLogRing.Recover(Ring(last), 0);
            Assert.Equal(last, reading.Sequence);
            Assert.Equal([(uint)last, 1_000_000u], reading.Extents);
            Assert.Equal(0, reading.DamagedSlots);
            Assert.True(reading.IsTrusted);
        }
    }

    [Fact]
    public void A_newest_transaction_torn_anywhere_gives_the_one_before_it_or_itself()
    {
        byte[] before = Ring(100);
        byte[] after = Ring(101);
        int at = MetadataLayout.LogSlot(101) * 4096;
        for (int cut = 0; cut <= 4096; cut += cut < 128 ? 1 : 32)
        {
            byte[] torn = [.. before];
            after.AsSpan(at, cut).CopyTo(torn.AsSpan(at));
            ActivityLogReading reading = ActivityLogRing.Recover(torn, 0);
            Assert.True(reading.IsTrusted);
            Assert.True(reading.Sequence is 100 or 101, $"cut at {cut}: {reading.Sequence}");
            Assert.Equal([(uint)reading.Sequence, 1_000_000u], reading.Extents);
        }
    }

    [Fact]
    public void An_older_damaged_slot_does_not_matter()
    {
        byte[] ring = Ring(100);
        ring[MetadataLayout.LogSlot(90) * 4096 + 50] ^= 1;
        ActivityLogReading reading = ActivityLogRing.Recover(ring, 0);
        Assert.Equal(100UL, reading.Sequence);
        Assert.Equal(1, reading.DamagedSlots);
        Assert.True(reading.IsTrusted);
    }

    [Fact]
    public void Two_damaged_slots_after_the_newest_intact_one_are_not_a_torn_write()
    {
        byte[] ring = Ring(100);
        ring[MetadataLayout.LogSlot(100) * 4096 + 50] ^= 1;
        Assert.True(ActivityLogRing.Recover(ring, 0).IsTrusted); // As a torn write would look.
        ring[MetadataLayout.LogSlot(101) * 4096 + 50] ^= 1;
        Assert.False(ActivityLogRing.Recover(ring, 0).IsTrusted);
    }

    [Fact]
    public void A_ring_without_an_intact_transaction_is_not_trusted()
    {
        var ring = new byte[ActivityLogRing.LengthBytes];
        Assert.False(ActivityLogRing.Recover(ring, 0).IsTrusted);
        Array.Fill(ring, (byte)0xff);
        ActivityLogReading reading = ActivityLogRing.Recover(ring, 0);
        Assert.False(reading.IsTrusted);
        Assert.Equal(Slots, reading.DamagedSlots);
    }

    [Fact]
    public void A_transaction_in_the_slot_of_another_number_or_of_another_volume_does_not_count()
    {
        byte[] ring = Ring(100);
        int at = MetadataLayout.LogSlot(101) * 4096;
        ActivityLogCodec.Encode(ring.AsSpan(at, 4096), 0, 102, []);
        Assert.Equal(100UL, ActivityLogRing.Recover(ring, 0).Sequence);
        ActivityLogCodec.Encode(ring.AsSpan(at, 4096), 5, 101, []);
        Assert.Equal(100UL, ActivityLogRing.Recover(ring, 0).Sequence);
        Assert.False(ActivityLogRing.Recover(ring, 1).IsTrusted);
    }

    private static byte[] Ring(ulong last)
    {
        var ring = new byte[ActivityLogRing.LengthBytes];
        for (ulong sequence = last > Slots ? last - Slots + 1 : 1; sequence <= last; sequence++)
        {
            ActivityLogCodec.Encode(
                ring.AsSpan(MetadataLayout.LogSlot(sequence) * 4096, 4096), 0, sequence,
                [(uint)sequence, 1_000_000]);
        }

        return ring;
    }

    private static MetadataError Decode(byte[] block, int volume, out ulong sequence, out uint[] extents)
    {
        var into = new uint[ActivityLogCodec.MaximumExtents];
        MetadataError error = ActivityLogCodec.Decode(block, volume, out sequence, into, out int count);
        extents = into[..count];
        return error;
    }
}
