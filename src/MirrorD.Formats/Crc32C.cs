using System.Buffers.Binary;
using System.Numerics;

namespace MirrorD.Formats;

/// <summary>
/// CRC-32C (Castagnoli, RFC 3720 section 12.1 and appendix B.4): reflected polynomial 0x82f63b78, start and
/// final exclusive-or all ones. <see cref="BitOperations"/> uses the processor's instruction (SSE 4.2, ARM
/// CRC32) where there is one and a table otherwise.
/// </summary>
public static class Crc32C
{
    /// <summary>Checksum of the bytes.</summary>
    public static uint Compute(ReadOnlySpan<byte> bytes) => Append(0, bytes);

    /// <summary>
    /// Checksum of everything so far followed by these bytes:
    /// <c>Append(Compute(a), b)</c> is the checksum of a and b in one piece.
    /// </summary>
    /// <param name="checksum">Checksum of what came before; 0 for nothing.</param>
    /// <param name="bytes">The next bytes.</param>
    public static uint Append(uint checksum, ReadOnlySpan<byte> bytes)
    {
        uint crc = ~checksum;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte value in bytes)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
