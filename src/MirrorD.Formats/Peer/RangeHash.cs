using System.Buffers.Binary;

namespace MirrorD.Formats.Peer;

/// <summary>
/// Hash of the data of a range for one question (<see cref="LinkKeys.HashOf"/>): what two copies are compared by without
/// sending them. Strong, so that equal hashes mean equal data, whatever the data is.
/// </summary>
/// <param name="A">Bytes 0 to 15, read as little endian.</param>
/// <param name="B">Bytes 16 to 31.</param>
public readonly record struct RangeHash(UInt128 A, UInt128 B)
{
    /// <summary>Bytes of a hash.</summary>
    public const int Bytes = 32;

    /// <summary>Reads 32 bytes.</summary>
    public static RangeHash Read(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadUInt128LittleEndian(from), BinaryPrimitives.ReadUInt128LittleEndian(from[16..]));

    /// <summary>Writes 32 bytes.</summary>
    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt128LittleEndian(to, A);
        BinaryPrimitives.WriteUInt128LittleEndian(to[16..], B);
    }

    /// <summary>In the same time wherever they differ: how much of a forged one fits is nobody's to learn.</summary>
    public bool Equals(RangeHash other) => ((A ^ other.A) | (B ^ other.B)) == UInt128.Zero;

    /// <inheritdoc/>
    public override int GetHashCode() => A.GetHashCode();
}
