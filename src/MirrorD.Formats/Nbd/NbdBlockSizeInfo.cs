using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// Sizes of requests, after the 16-bit information type (<see cref="NbdInfoType.BlockSize"/>).
/// <code>
///  0  4  minimum: offsets and lengths are multiples of it
///  4  4  preferred
///  8  4  maximum payload of a request
/// </code>
/// </summary>
/// <param name="MinimumBytes">Power of two.</param>
/// <param name="PreferredBytes">Power of two, at least the minimum.</param>
/// <param name="MaximumBytes">Multiple of the minimum.</param>
public readonly record struct NbdBlockSizeInfo(uint MinimumBytes, uint PreferredBytes, uint MaximumBytes)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 12;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, MinimumBytes);
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], PreferredBytes);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], MaximumBytes);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes.</summary>
    public static NbdBlockSizeInfo Decode(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt32BigEndian(from),
        BinaryPrimitives.ReadUInt32BigEndian(from[4..]),
        BinaryPrimitives.ReadUInt32BigEndian(from[8..]));
}
