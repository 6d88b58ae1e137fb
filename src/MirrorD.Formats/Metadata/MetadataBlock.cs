using System.Buffers.Binary;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// What all metadata blocks share: 4096 bytes, little-endian, beginning with
/// <code>
///  0  8  magic (ASCII)
///  8  4  CRC-32C of all other bytes of the block
/// 12  2  version
/// 14  2  reserved, zero
/// </code>
/// Magic and checksum stay where they are in every version, so that "damaged" and "too new" are told apart.
/// </summary>
internal static class MetadataBlock
{
    public const int LengthBytes = 4096;
    public const int HeaderBytes = 16;
    public const ushort Version = 1;

    private const int ChecksumOffset = 8;
    private const int VersionOffset = 12;

    /// <summary>Clears the block and writes what comes before the fields.</summary>
    public static void Begin(Span<byte> block, ReadOnlySpan<byte> magic)
    {
        if (block.Length != LengthBytes)
        {
            throw new ArgumentException($"A metadata block has {LengthBytes} bytes, not {block.Length}.");
        }

        block.Clear();
        magic.CopyTo(block);
        BinaryPrimitives.WriteUInt16LittleEndian(block[VersionOffset..], Version);
    }

    /// <summary>Writes the checksum, last.</summary>
    public static void Seal(Span<byte> block) =>
        BinaryPrimitives.WriteUInt32LittleEndian(block[ChecksumOffset..], Checksum(block));

    /// <summary>Checks everything that all blocks share.</summary>
    public static MetadataError Check(ReadOnlySpan<byte> block, ReadOnlySpan<byte> magic)
    {
        if (block.Length != LengthBytes)
        {
            throw new ArgumentException($"A metadata block has {LengthBytes} bytes, not {block.Length}.");
        }

        if (!block.StartsWith(magic))
        {
            return block.ContainsAnyExcept((byte)0) ? MetadataError.BadMagic : MetadataError.Empty;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(block[ChecksumOffset..]) != Checksum(block))
        {
            return MetadataError.BadChecksum;
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(block[VersionOffset..]) != Version)
        {
            return MetadataError.UnsupportedVersion;
        }

        return IsZero(block[14..HeaderBytes]) ? MetadataError.None : MetadataError.ReservedNotZero;
    }

    public static bool IsZero(ReadOnlySpan<byte> bytes) => !bytes.ContainsAnyExcept((byte)0);

    private static uint Checksum(ReadOnlySpan<byte> block) =>
        Crc32C.Append(Crc32C.Compute(block[..ChecksumOffset]), block[VersionOffset..]);
}
