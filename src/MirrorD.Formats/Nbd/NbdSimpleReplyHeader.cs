using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// A simple reply; the data of a successful read follows it.
/// <code>
///  0  4  0x67446698
///  4  4  error
///  8  8  cookie of the request
/// </code>
/// </summary>
/// <param name="Error">Zero on success.</param>
/// <param name="Cookie">Which request is answered.</param>
public readonly record struct NbdSimpleReplyHeader(NbdError Error, ulong Cookie)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 16;

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, NbdMagic.SimpleReply);
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], (uint)Error);
        BinaryPrimitives.WriteUInt64BigEndian(to[8..], Cookie);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes; false when the magic is wrong.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> from, out NbdSimpleReplyHeader header)
    {
        header = new NbdSimpleReplyHeader(
            (NbdError)BinaryPrimitives.ReadUInt32BigEndian(from[4..]),
            BinaryPrimitives.ReadUInt64BigEndian(from[8..]));
        return BinaryPrimitives.ReadUInt32BigEndian(from) == NbdMagic.SimpleReply;
    }
}
