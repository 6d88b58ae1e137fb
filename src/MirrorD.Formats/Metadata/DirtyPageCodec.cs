using System.Buffers.Binary;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// One page of the dirty map on disk: 4096 bytes, little-endian, checked by CRC-32C.
/// <code>
///  0 16  header of every metadata block, magic "MRDDIRTY"
/// 16  4  page index, from 0
/// 20  4  volume index
/// 24  8  reserved, zero
/// 32 4064 bits: block i of the page is bit i % 8 of byte i / 8; set = the peer may not have it
/// </code>
/// </summary>
public static class DirtyPageCodec
{
    /// <summary>Bytes of an encoded page.</summary>
    public const int LengthBytes = MetadataBlock.LengthBytes;

    /// <summary>Bytes of bits in a page, a multiple of 8.</summary>
    public const int BitsBytes = LengthBytes - HeaderBytes;

    /// <summary>Blocks that a page describes: 32512, that is 127 MiB of data.</summary>
    public const int BlocksPerPage = BitsBytes * 8;

    private const int HeaderBytes = 32;

    /// <summary>First bytes of every page.</summary>
    public static ReadOnlySpan<byte> Magic => "MRDDIRTY"u8;

    /// <summary>The bits of an encoded page, to be filled between <see cref="Begin"/> and <see cref="Seal"/>.</summary>
    public static Span<byte> Bits(Span<byte> page) => page[HeaderBytes..LengthBytes];

    /// <summary>Writes the header over a cleared page.</summary>
    /// <param name="page">4096 bytes.</param>
    /// <param name="pageIndex">Which page of the map, from 0.</param>
    /// <param name="volumeIndex">Which volume of the resource.</param>
    public static void Begin(Span<byte> page, int pageIndex, int volumeIndex)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(pageIndex);
        ArgumentOutOfRangeException.ThrowIfNegative(volumeIndex);
        MetadataBlock.Begin(page, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(page[16..], pageIndex);
        BinaryPrimitives.WriteInt32LittleEndian(page[20..], volumeIndex);
    }

    /// <summary>Writes the checksum, once the bits are there.</summary>
    public static void Seal(Span<byte> page) => MetadataBlock.Seal(page);

    /// <summary>
    /// Gives the bits of a page that was read from its place; on any error the page counts as all dirty.
    /// </summary>
    /// <param name="page">4096 bytes.</param>
    /// <param name="pageIndex">The page expected there.</param>
    /// <param name="volumeIndex">The volume expected there.</param>
    /// <param name="bits">On success the <see cref="BitsBytes"/> bytes of bits, else empty.</param>
    public static MetadataError Decode(
        ReadOnlySpan<byte> page, int pageIndex, int volumeIndex, out ReadOnlySpan<byte> bits)
    {
        bits = default;
        MetadataError error = MetadataBlock.Check(page, Magic);
        if (error != MetadataError.None)
        {
            return error;
        }

        if (!MetadataBlock.IsZero(page[24..HeaderBytes]))
        {
            return MetadataError.ReservedNotZero;
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(page[16..]) != pageIndex
            || BinaryPrimitives.ReadInt32LittleEndian(page[20..]) != volumeIndex)
        {
            return MetadataError.Misplaced;
        }

        bits = page[HeaderBytes..];
        return MetadataError.None;
    }
}
