using System.Buffers.Binary;

namespace MirrorD.Formats.Nbd;

/// <summary>
/// One extent of a block status reply in the context base:allocation.
/// <code>
///  0  4  length in bytes
///  4  4  state flags
/// </code>
/// </summary>
/// <param name="LengthBytes">Length of the extent.</param>
/// <param name="State">What is known about it.</param>
public readonly record struct NbdExtent(uint LengthBytes, NbdAllocationState State)
{
    /// <summary>Bytes on the wire.</summary>
    public const int SizeBytes = 8;

    /// <summary>Name of the context that the states belong to.</summary>
    public const string ContextName = "base:allocation";

    /// <summary>Writes <see cref="SizeBytes"/> bytes.</summary>
    public void Encode(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to, LengthBytes);
        BinaryPrimitives.WriteUInt32BigEndian(to[4..], (uint)State);
    }

    /// <summary>Reads <see cref="SizeBytes"/> bytes.</summary>
    public static NbdExtent Decode(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt32BigEndian(from),
        (NbdAllocationState)BinaryPrimitives.ReadUInt32BigEndian(from[4..]));
}
