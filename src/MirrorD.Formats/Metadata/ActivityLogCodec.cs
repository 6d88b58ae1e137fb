using System.Buffers.Binary;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// One transaction of the activity log: 4096 bytes, little-endian, that hold the *whole* set of active
/// extents of the volume, so that the newest intact transaction alone says what was active.
/// <see cref="Fields"/> is the layout.
/// </summary>
public static class ActivityLogCodec
{
    /// <summary>Bytes of an encoded transaction.</summary>
    public const int LengthBytes = MetadataBlock.LengthBytes;

    /// <summary>Most extents that can be active at once.</summary>
    public const int MaximumExtents = (LengthBytes - ExtentsAt) / sizeof(uint);

    private const int SequenceAt = 16;
    private const int VolumeIndexAt = 24;
    private const int CountAt = 28;
    private const int ReservedAt = 32;
    private const int ExtentsAt = 64;

    /// <summary>First bytes of every transaction.</summary>
    public static ReadOnlySpan<byte> Magic => "MRDACTLG"u8;

    /// <summary>Every field in order, without a gap.</summary>
    public static IReadOnlyList<MetadataField> Fields { get; } =
    [
        new(0, 8, "magic"),
        new(8, 4, "checksum"),
        new(12, 2, "version"),
        new(14, 2, "reserved"),
        new(SequenceAt, 8, "sequence"),
        new(VolumeIndexAt, 4, "volume-index"),
        new(CountAt, 4, "count"),
        new(ReservedAt, ExtentsAt - ReservedAt, "reserved"),
        new(ExtentsAt, MaximumExtents * sizeof(uint), "extents"),
    ];

    /// <summary>Encodes over the whole block.</summary>
    /// <param name="block">4096 bytes.</param>
    /// <param name="volumeIndex">Which volume of the resource.</param>
    /// <param name="sequence">Number of the transaction, from 1.</param>
    /// <param name="extents">Active extents, ascending, each once, at most
    /// <see cref="MaximumExtents"/>.</param>
    /// <exception cref="ArgumentException">The extents are not such a set, or a number is out of
    /// range.</exception>
    public static void Encode(Span<byte> block, int volumeIndex, ulong sequence, ReadOnlySpan<uint> extents)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(volumeIndex);
        ArgumentOutOfRangeException.ThrowIfZero(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(extents.Length, MaximumExtents, nameof(extents));
        MetadataBlock.Begin(block, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(block[SequenceAt..], sequence);
        BinaryPrimitives.WriteInt32LittleEndian(block[VolumeIndexAt..], volumeIndex);
        BinaryPrimitives.WriteInt32LittleEndian(block[CountAt..], extents.Length);
        for (int i = 0; i < extents.Length; i++)
        {
            if (i > 0 && extents[i] <= extents[i - 1])
            {
                throw new ArgumentException("Active extents are ascending, each once.", nameof(extents));
            }

            BinaryPrimitives.WriteUInt32LittleEndian(block[(ExtentsAt + i * sizeof(uint))..], extents[i]);
        }

        MetadataBlock.Seal(block);
    }

    /// <summary>Reads a transaction.</summary>
    /// <param name="block">4096 bytes.</param>
    /// <param name="volumeIndex">The volume expected.</param>
    /// <param name="sequence">On success its number, else 0.</param>
    /// <param name="extents">On success filled from the begin.</param>
    /// <param name="count">On success how many extents are active, else 0.</param>
    public static MetadataError Decode(
        ReadOnlySpan<byte> block, int volumeIndex, out ulong sequence, Span<uint> extents, out int count)
    {
        sequence = 0;
        count = 0;
        MetadataError error = MetadataBlock.Check(block, Magic);
        if (error != MetadataError.None)
        {
            return error;
        }

        uint found = BinaryPrimitives.ReadUInt32LittleEndian(block[CountAt..]);
        ulong number = BinaryPrimitives.ReadUInt64LittleEndian(block[SequenceAt..]);
        if (found > MaximumExtents || number == 0)
        {
            return MetadataError.FieldOutOfRange;
        }

        if (BinaryPrimitives.ReadInt32LittleEndian(block[VolumeIndexAt..]) != volumeIndex)
        {
            return MetadataError.Misplaced;
        }

        int end = ExtentsAt + (int)found * sizeof(uint);
        if (!MetadataBlock.IsZero(block[ReservedAt..ExtentsAt]) || !MetadataBlock.IsZero(block[end..]))
        {
            return MetadataError.ReservedNotZero;
        }

        for (int i = 0; i < found; i++)
        {
            uint extent = BinaryPrimitives.ReadUInt32LittleEndian(block[(ExtentsAt + i * sizeof(uint))..]);
            if (i > 0 && extent <= extents[i - 1])
            {
                return MetadataError.FieldOutOfRange;
            }

            extents[i] = extent;
        }

        sequence = number;
        count = (int)found;
        return MetadataError.None;
    }
}
