using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// Before the data of each option that a client sends.
/// <code>
///  0  8  "IHAVEOPT"
///  8  4  option
/// 12  4  length of the data in bytes
/// </code>
/// </summary>
/// <param name="Option">Which option; may be one that is not defined.</param>
/// <param name="LengthBytes">Length of the data that follows.</param>
public readonly record struct NbdOptionHeader(NbdOption Option, uint LengthBytes)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 16;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, NbdMagic.Option);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], (uint)Option);
        BinaryPrimitives.WriteUInt32BigEndian(to[12..], LengthBytes);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes; false when the magic is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, out NbdOptionHeader header)
    {
        header = new NbdOptionHeader(
            (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(from[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[12..]));
        return BinaryPrimitives.ReadUInt64BigEndian(from) == NbdMagic.Option;
    }
}
