using System.Buffers.Binary;

namespace MirrorD.Lab.Clients;

/// <summary>
/// What the workload writes: each 512-byte sector says which block it belongs to and which write it is, so
/// that torn blocks show. Sector: magic 8 | block 8 | sequence 8 | sector 8 | pattern of the three | sum 8.
/// </summary>
public static class Stamp
{
    public const int BlockBytes = 4096;
    public const int SectorBytes = 512;
    private const ulong Magic = 0x6d6972726f724421;

    /// <summary>Fills a block for one write.</summary>
    public static void Fill(Span<byte> block, long blockIndex, long sequence)
    {
        for (int sector = 0; sector < BlockBytes / SectorBytes; sector++)
        {
            Span<byte> part = block.Slice(sector * SectorBytes, SectorBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(part, Magic);
            BinaryPrimitives.WriteInt64LittleEndian(part[8..], blockIndex);
            BinaryPrimitives.WriteInt64LittleEndian(part[16..], sequence);
            BinaryPrimitives.WriteInt64LittleEndian(part[24..], sector);
            ulong word = Mix((ulong)blockIndex, (ulong)sequence, (ulong)sector);
            for (int at = 32; at < SectorBytes; at += 8)
            {
                word = (word * 6364136223846793005) + 1442695040888963407;
                BinaryPrimitives.WriteUInt64LittleEndian(part[at..], word);
            }
        }
    }

    /// <summary>
    /// The sequence of one sector: 0 when it was never written, null when its content is nobody's write.
    /// </summary>
    public static long? Read(ReadOnlySpan<byte> block, long blockIndex, int sector)
    {
        ReadOnlySpan<byte> part = block.Slice(sector * SectorBytes, SectorBytes);
        if (!part.ContainsAnyExcept((byte)0))
        {
            return 0;
        }

        long sequence = BinaryPrimitives.ReadInt64LittleEndian(part[16..]);
        Span<byte> expected = stackalloc byte[BlockBytes];
        Fill(expected, blockIndex, sequence);
        return part.SequenceEqual(expected.Slice(sector * SectorBytes, SectorBytes)) ? sequence : null;
    }

    private static ulong Mix(ulong a, ulong b, ulong c) =>
        (a * 0x9e3779b97f4a7c15) ^ (b * 0xc2b2ae3d27d4eb4f) ^ (c * 0x165667b19e3779f9);
}
