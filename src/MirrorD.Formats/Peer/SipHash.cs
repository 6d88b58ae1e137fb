using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace MirrorD.Formats.Peer;

/// <summary>A key of <see cref="SipHash"/>: 128 bits.</summary>
public readonly record struct SipKey(ulong K0, ulong K1)
{
    /// <summary>Reads 16 bytes, little endian.</summary>
    public static SipKey From(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
}

/// <summary>
/// SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a keyed tag of 64 bits,
/// made for short inputs; costs some 30 ns for a frame header, so that every header can carry one.
/// </summary>
public static class SipHash
{
    /// <summary>Tag of the data followed by the eight little-endian bytes of the number.</summary>
    /// <param name="key">Secret key.</param>
    /// <param name="data">A multiple of 8 bytes.</param>
    /// <param name="number">Number of the frame, so that a replayed or reordered frame does not fit.</param>
    public static ulong Compute(in SipKey key, ReadOnlySpan<byte> data, ulong number)
    {
        ulong v0 = key.K0 ^ 0x736f6d6570736575;
        ulong v1 = key.K1 ^ 0x646f72616e646f6d;
        ulong v2 = key.K0 ^ 0x6c7967656e657261;
        ulong v3 = key.K1 ^ 0x7465646279746573;
        int length = data.Length + 8;
        for (; data.Length >= 8; data = data[8..])
        {
            Absorb(ref v0, ref v1, ref v2, ref v3, BinaryPrimitives.ReadUInt64LittleEndian(data));
        }

        Absorb(ref v0, ref v1, ref v2, ref v3, number);
        Absorb(ref v0, ref v1, ref v2, ref v3, (ulong)length << 56);
        v2 ^= 0xff;
        for (int i = 0; i < 4; i++)
        {
            Round(ref v0, ref v1, ref v2, ref v3);
        }

        return v0 ^ v1 ^ v2 ^ v3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Absorb(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3, ulong word)
    {
        v3 ^= word;
        Round(ref v0, ref v1, ref v2, ref v3);
        Round(ref v0, ref v1, ref v2, ref v3);
        v0 ^= word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        v0 += v1;
        v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        v2 += v3;
        v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        v2 = BitOperations.RotateLeft(v2, 32);
    }
}
