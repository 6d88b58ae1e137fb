using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// Before the payload of each chunk of a structured reply.
/// <code>
///  0  4  0x668e33ef
///  4  2  chunk flags
///  6  2  chunk type
///  8  8  cookie of the request
/// 16  4  length of the payload in bytes
/// </code>
/// </summary>
/// <param name="Flags">Whether it is the last chunk.</param>
/// <param name="Type">What the payload is.</param>
/// <param name="Cookie">Which request is answered.</param>
/// <param name="LengthBytes">Length of the payload.</param>
public readonly record struct NbdChunkHeader(
    NbdChunkFlags Flags, NbdChunkType Type, ulong Cookie, uint LengthBytes)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 20;

    /// <summary>
    /// Payload of an <see cref="NbdChunkType.OffsetData"/> chunk before its data: the 64-bit offset.
    /// </summary>
    public const int DataOffsetSizeBytes = 8;

    /// <summary>Payload of an <see cref="NbdChunkType.Error"/> chunk without its text.</summary>
    public const int ErrorSizeBytes = 6;

    /// <summary>
    /// Payload of a <see cref="NbdChunkType.BlockStatus"/> chunk before its extents: the context.
    /// </summary>
    public const int ContextSizeBytes = 4;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, NbdMagic.StructuredReply);
        BinaryPrimitives.WriteUInt16BigEndian(to[4..], (ushort)Flags);
        BinaryPrimitives.WriteUInt16BigEndian(to[6..], (ushort)Type);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Cookie);
        BinaryPrimitives.WriteUInt32BigEndian(to[16..], LengthBytes);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes; false when the magic is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, out NbdChunkHeader header)
    {
        header = new NbdChunkHeader(
            (NbdChunkFlags)BinaryPrimitives.ReadUInt16BigEndian(from[4..]),
            (NbdChunkType)BinaryPrimitives.ReadUInt16BigEndian(from[6..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[8..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[16..]));
        return BinaryPrimitives.ReadUInt32BigEndian(from) == NbdMagic.StructuredReply;
    }
}
