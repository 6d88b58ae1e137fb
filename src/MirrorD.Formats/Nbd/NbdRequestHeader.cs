using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// A request of the transmission phase; the data of a write follows it.
/// <code>
///  0  4  0x25609513
///  4  2  command flags
///  6  2  command
///  8  8  cookie, repeated in the reply
/// 16  8  offset in bytes
/// 24  4  length in bytes
/// </code>
/// </summary>
/// <param name="Flags">Flags; may hold bits that are not defined.</param>
/// <param name="Command">Command; may be one that is not defined.</param>
/// <param name="Cookie">The client's own name of the request.</param>
/// <param name="Offset">Where the range begins.</param>
/// <param name="LengthBytes">Length of the range.</param>
public readonly record struct NbdRequestHeader(
    NbdCommandFlags Flags, NbdCommand Command, ulong Cookie, ulong Offset, uint LengthBytes)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 28;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, NbdMagic.Request);
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], (ushort)Command);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Cookie);
        BinaryPrimitives.WriteUInt64BigEndian(to[16..], Offset);
        BinaryPrimitives.WriteUInt32BigEndian(to[24..], LengthBytes);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes; false when the magic is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, out NbdRequestHeader header)
    {
        header = new NbdRequestHeader(
            (NbdCommandFlags)BinaryPrimitives.ReadUInt16BigEndian(from[4..]),
            (NbdCommand)BinaryPrimitives.ReadUInt16BigEndian(from[6..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[8..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[24..]));
        return BinaryPrimitives.ReadUInt32BigEndian(from) == NbdMagic.Request;
    }
}
