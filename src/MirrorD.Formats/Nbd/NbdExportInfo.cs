using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// Size and flags of an export. In a reply to INFO and GO it stands after the 16-bit information type
/// (<see cref="NbdInfoType.Export"/>); in the answer to EXPORT_NAME it stands alone.
/// <code>
///  0  8  size in bytes
///  8  2  transmission flags
/// </code>
/// </summary>
/// <param name="LengthBytes">Size of the export.</param>
/// <param name="Flags">What it offers.</param>
public readonly record struct NbdExportInfo(ulong LengthBytes, NbdTransmissionFlags Flags)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 10;

    /// <summary>Zero bytes after the answer to EXPORT_NAME unless NO_ZEROES was agreed.</summary>
    public const int ZeroPaddingBytes = 124;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, LengthBytes);
        BinaryPrimitives.WriteUInt16BigEndian(to[8..], (ushort)Flags);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes.</summary>
    public static NbdExportInfo Decode(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt64BigEndian(from),
        (NbdTransmissionFlags)BinaryPrimitives.ReadUInt16BigEndian(from[8..]));
}
