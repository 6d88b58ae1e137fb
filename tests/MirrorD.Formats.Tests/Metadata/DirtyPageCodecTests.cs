using System.Numerics;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

public class DirtyPageCodecTests
{
    [Fact]
    public void A_page_reads_back_as_written()
    {
        byte[] page = SampleMetadata.PageBytes();
        Assert.Equal(MetadataError.None, DirtyPageCodec.Decode(page, 3, 1, out ReadOnlySpan<byte> bits));
        Assert.Equal(DirtyPageCodec.BitsBytes, bits.Length);
        Assert.Equal(0x81, bits[0]);
        Assert.Equal(0x40, bits[DirtyPageCodec.BitsBytes - 1]);
        Assert.Equal(3, bits.ToArray().Sum(b => BitOperations.PopCount(b)));
    }

    [Fact]
    public void A_page_with_any_byte_changed_is_rejected()
    {
        byte[] page = SampleMetadata.PageBytes();
        for (int i = 0; i < page.Length; i++)
        {
            foreach (byte flip in (ReadOnlySpan<byte>)[0x01, 0x80, 0xff])
            {
                page[i] ^= flip;
                MetadataError error = DirtyPageCodec.Decode(page, 3, 1, out ReadOnlySpan<byte> bits);
                Assert.True(error is MetadataError.BadMagic or MetadataError.BadChecksum,
                    $"byte {i}: {error}");
                Assert.True(bits.IsEmpty);
                page[i] ^= flip;
            }
        }
    }

    [Fact]
    public void A_page_at_another_place_is_rejected()
    {
        byte[] page = SampleMetadata.PageBytes();
        Assert.Equal(MetadataError.Misplaced, DirtyPageCodec.Decode(page, 2, 1, out _));
        Assert.Equal(MetadataError.Misplaced, DirtyPageCodec.Decode(page, 3, 0, out _));
    }

    [Fact]
    public void A_page_of_zeroes_is_empty_and_not_a_clean_page()
    {
        Assert.Equal(MetadataError.Empty, DirtyPageCodec.Decode(new byte[4096], 0, 0, out _));
    }

    [Theory]
    [InlineData(12, MetadataError.UnsupportedVersion)]
    [InlineData(13, MetadataError.UnsupportedVersion)]
    [InlineData(14, MetadataError.ReservedNotZero)]
    [InlineData(15, MetadataError.ReservedNotZero)]
    [InlineData(24, MetadataError.ReservedNotZero)]
    [InlineData(31, MetadataError.ReservedNotZero)]
    public void An_intact_page_of_another_form_is_named(int at, MetadataError expected)
    {
        byte[] page = SampleMetadata.PageBytes();
        page[at] = 2;
        DirtyPageCodec.Seal(page);
        Assert.Equal(expected, DirtyPageCodec.Decode(page, 3, 1, out _));
    }
}
