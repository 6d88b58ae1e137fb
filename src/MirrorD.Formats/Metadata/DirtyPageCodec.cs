using System.Buffers.Binary;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// One page of the dirty map on disk: 4096 bytes, little-endian. <see cref="Fields"/> is the layout. Block i
/// of the page is bit i % 8 of byte i / 8 of the bits; set means that the peer may not have the block.
/// </summary>
public static class DirtyPageCodec
{
    /// <summary>Bytes of an encoded page.</summary>
    public const int LengthBytes = MetadataBlock.LengthBytes;

    /// <summary>Bytes of bits in a page, a multiple of 8.</summary>
    public const int BitsBytes = LengthBytes - HeaderBytes;

    /// <summary>Blocks that a page describes: 32512, that is 127 MiB of data.</summary>
    public const int BlocksPerPage = BitsBytes * 8;

    private const int PageIndexAt = 16;
    private const int VolumeIndexAt = 20;
    private const int ReservedAt = 24;
    private const int HeaderBytes = 32;

    /// <summary>First bytes of every page.</summary>
    public static ReadOnlySpan<byte> Magic => "MRDDIRTY"u8;

    /// <summary>Every field in order, without a gap.</summary>
    public static IReadOnlyList<MetadataField> Fields { get; } =
    [
        new(0, 8, "magic"),
        new(8, 4, "checksum"),
        new(12, 2, "version"),
        new(14, 2, "reserved"),
        new(PageIndexAt, 4, "page-index"),
        new(VolumeIndexAt, 4, "volume-index"),
        new(ReservedAt, HeaderBytes - ReservedAt, "reserved"),
        new(HeaderBytes, BitsBytes, "bits"),
    ];

    /// <summary>
    /// The bits of an encoded page, to be filled between <see cref="Begin"/> and <see cref="Seal"/>.
    /// </summary>
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
        BinaryPrimitives.WriteInt32LittleEndian(page[PageIndexAt..], pageIndex);
        BinaryPrimitives.WriteInt32LittleEndian(page[VolumeIndexAt..], volumeIndex);
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

        if (!MetadataBlock.IsZero(page[ReservedAt..HeaderBytes]))
        {
            return MetadataError.ReservedNotZero;
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(page[PageIndexAt..]) != pageIndex
            || BinaryPrimitives.ReadInt32LittleEndian(page[VolumeIndexAt..]) != volumeIndex)
        {
            return MetadataError.Misplaced;
        }

        bits = page[HeaderBytes..];
        return MetadataError.None;
    }
}
