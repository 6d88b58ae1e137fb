using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace MirrorD.Simulator.Oracle;

/// <summary>
/// Contents of a 512-byte sector that say which write they come from: magic, volume, sector, number of the
/// write, and a body that follows from these. A sector of zeroes has no stamp.
/// </summary>
public static class Stamp
{
    /// <summary>Bytes of a stamped sector.</summary>
    public const int SectorBytes = 512;

    private const ulong Magic = 0x504D_4154_5344_524D;

    /// <summary>Fills a whole number of sectors, the first of which has the given number.</summary>
    public static void Fill(Span<byte> sectors, int volume, long firstSector, long write)
    {
        for (int at = 0; at < sectors.Length; at += SectorBytes)
        {
            Write(sectors.Slice(at, SectorBytes), volume, firstSector + at / SectorBytes, write);
        }
    }

    /// <summary>
    /// The number of the write that a sector's contents come from, 0 for zeroes; false when they are neither:
    /// torn within the sector, or of another volume or sector.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> sector, int volume, long number, out long write)
    {
        write = BinaryPrimitives.ReadInt64LittleEndian(sector[24..]);
        if (write == 0)
        {
            return !sector.ContainsAnyExcept((byte)0);
        }

        Span<byte> expected = stackalloc byte[SectorBytes];
        Write(expected, volume, number, write);
        return expected.SequenceEqual(sector);
    }

    private static void Write(Span<byte> sector, int volume, long number, long write)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(sector, Magic);
        BinaryPrimitives.WriteInt64LittleEndian(sector[8..], volume);
        BinaryPrimitives.WriteInt64LittleEndian(sector[16..], number);
        BinaryPrimitives.WriteInt64LittleEndian(sector[24..], write);
        ulong body = Magic ^ (uint)volume;
        body ^= (ulong)write * 0x9E3779B97F4A7C15 ^ (ulong)number * 0xBF58476D1CE4E5B9;
        foreach (ref ulong word in MemoryMarshal.Cast<byte, ulong>(sector[32..]))
        {
            body ^= body << 13;
            body ^= body >> 7;
            body ^= body << 17;
            word = body;
        }
    }
}
