using System.Buffers.Binary;

namespace MirrorD.Formats.Peer;

/// <summary>
/// What shows that a payload is the peer's and belongs to its frame: 96 bits (NIST SP 800-38D, appendix C, allows that length
/// without further conditions). Zero where the transport authenticates.
/// </summary>
public readonly record struct PayloadTag(ulong First, uint Last)
{
    /// <summary>Bytes of a tag.</summary>
    public const int Bytes = 12;

    /// <summary>Reads 12 bytes, little endian.</summary>
    public static PayloadTag Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(from), BinaryPrimitives.ReadUInt32LittleEndian(from[8..]));

    /// <summary>Writes 12 bytes.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, First);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], Last);
    }
}
