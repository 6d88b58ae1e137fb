using System.Buffers.Binary;

namespace MirrorD.Control.Creation;

/// <summary>Where a file system on a device ends, so that metadata can go behind it.</summary>
internal static class FileSystemEnd
{
    /// <summary>Bytes at the begin of the device that <see cref="Of"/> looks at.</summary>
    public const int HeaderBytes = 4096;

    private const int ExtSuperblock = 1024;

    /// <summary>
    /// End in bytes; null when the type is not known here, and may reach to the end of the device.
    /// </summary>
    /// <param name="type">Type as wipefs(8) names it.</param>
    /// <param name="header">The first <see cref="HeaderBytes"/> of the device.</param>
    public static long? Of(string type, ReadOnlySpan<byte> header) => type switch
    {
        "ext2" or "ext3" or "ext4" => OfExt(header[ExtSuperblock..]),
        "xfs" => OfXfs(header),
        _ => null,
    };

    // Layout: docs of the kernel, filesystems/ext4/super.rst.
    private static long? OfExt(ReadOnlySpan<byte> superblock)
    {
        const uint Incompatible64Bit = 0x80;
        if (BinaryPrimitives.ReadUInt16LittleEndian(superblock[0x38..]) != 0xef53)
        {
            return null;
        }

        ulong blocks = BinaryPrimitives.ReadUInt32LittleEndian(superblock[0x4..]);
        if ((BinaryPrimitives.ReadUInt32LittleEndian(superblock[0x60..]) & Incompatible64Bit) != 0)
        {
            blocks |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(superblock[0x150..]) << 32;
        }

        uint blockShift = BinaryPrimitives.ReadUInt32LittleEndian(superblock[0x18..]);
        return blockShift <= 6 && blocks < 1ul << 46 ? (long)(blocks << (int)(10 + blockShift)) : null;
    }

    // Layout: XFS algorithms and data structures, "Superblocks"; big-endian.
    private static long? OfXfs(ReadOnlySpan<byte> superblock)
    {
        if (!superblock[..4].SequenceEqual("XFSB"u8))
        {
            return null;
        }

        ulong blockBytes = BinaryPrimitives.ReadUInt32BigEndian(superblock[4..]);
        ulong blocks = BinaryPrimitives.ReadUInt64BigEndian(superblock[8..]);
        return blockBytes is >= 512 and <= 65536 && blocks < 1ul << 46 ? (long)(blocks * blockBytes) : null;
    }
}
