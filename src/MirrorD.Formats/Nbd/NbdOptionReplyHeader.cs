using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// Before the data of each reply to an option.
/// <code>
///  0  8  0x0003e889045565a9
///  8  4  option that is replied to
/// 12  4  kind of reply
/// 16  4  length of the data in bytes
/// </code>
/// </summary>
/// <param name="Option">The option as the client sent it.</param>
/// <param name="Reply">Kind of reply.</param>
/// <param name="LengthBytes">Length of the data that follows.</param>
public readonly record struct NbdOptionReplyHeader(NbdOption Option, NbdOptionReply Reply, uint LengthBytes)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 20;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to, NbdMagic.OptionReply);
        BinaryPrimitives.WriteUInt32BigEndian(to[8..], (uint)Option);
        BinaryPrimitives.WriteUInt32BigEndian(to[12..], (uint)Reply);
        BinaryPrimitives.WriteUInt32BigEndian(to[16..], LengthBytes);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes; false when the magic is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, out NbdOptionReplyHeader header)
    {
        header = new NbdOptionReplyHeader(
            (NbdOption)BinaryPrimitives.ReadUInt32BigEndian(from[8..]),
            (NbdOptionReply)BinaryPrimitives.ReadUInt32BigEndian(from[12..]),
            BinaryPrimitives.ReadUInt32BigEndian(from[16..]));
        return BinaryPrimitives.ReadUInt64BigEndian(from) == NbdMagic.OptionReply;
    }
}
