using System.Numerics;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// All that a volume's metadata says, in memory: what the inspector reads, what a dump holds, what restoring
/// writes.
/// </summary>
public sealed class MetadataImage
{
    // Shared by all pages that were marked as a whole: a map that is all dirty needs no memory for its bits.
    private static readonly byte[] s_allDirty = AllOnes();

    private readonly byte[]?[] _pages;

    /// <summary>An image without a dirty block.</summary>
    /// <param name="superblock">The superblock.</param>
    /// <param name="logSequence">Number of the newest transaction of the activity log, from 1.</param>
    /// <param name="activeExtents">Its extents, ascending, each once.</param>
    public MetadataImage(Superblock superblock, ulong logSequence, IReadOnlyList<uint> activeExtents)
    {
        Superblock = superblock;
        LogSequence = logSequence;
        ActiveExtents = activeExtents;
        Layout = new MetadataLayout(superblock.DataBytes);
        _pages = new byte[Layout.PageCount][];
    }

    /// <summary>The superblock.</summary>
    public Superblock Superblock { get; }

    /// <summary>Number of the newest transaction of the activity log.</summary>
    public ulong LogSequence { get; }

    /// <summary>Extents that are active.</summary>
    public IReadOnlyList<uint> ActiveExtents { get; }

    /// <summary>Where the parts lie.</summary>
    public MetadataLayout Layout { get; }

    /// <summary>Blocks of the volume.</summary>
    public long BlockCount => Superblock.DataBytes / MetadataLayout.BlockBytes;

    /// <summary>Dirty blocks of the map.</summary>
    public long DirtyBlocks { get; private set; }

    /// <summary>Marks what a page marks as it is stored; bits beyond the volume are dropped.</summary>
    public void MarkPage(int page, ReadOnlySpan<byte> bits)
    {
        long first = (long)page * DirtyPageCodec.BlocksPerPage;
        long end = Math.Min(first + DirtyPageCodec.BlocksPerPage, BlockCount);
        for (long block = first; block < end;)
        {
            int bit = (int)(block - first);
            if (bit % 8 == 0 && bits[bit / 8] == 0)
            {
                block += 8;
                continue;
            }

            if ((bits[bit / 8] >> (bit % 8) & 1) != 0)
            {
                Mark(block, 1);
            }

            block++;
        }
    }

    /// <summary>Marks blocks dirty.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not lie inside the volume.</exception>
    public void Mark(long firstBlock, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstBlock);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, BlockCount - firstBlock);
        for (long block = firstBlock; block < firstBlock + count;)
        {
            int page = (int)(block / DirtyPageCodec.BlocksPerPage);
            int bit = (int)(block % DirtyPageCodec.BlocksPerPage);
            if (bit == 0 && firstBlock + count - block >= DirtyPageCodec.BlocksPerPage)
            {
                MarkWhole(page);
                block += DirtyPageCodec.BlocksPerPage;
                continue;
            }

            byte[] bits = _pages[page] ??= new byte[DirtyPageCodec.BitsBytes];
            bool wholeByte = bit % 8 == 0 && firstBlock + count - block >= 8;
            byte mask = wholeByte ? (byte)0xff : (byte)(1 << (bit % 8));
            DirtyBlocks += BitOperations.PopCount((uint)(mask & ~bits[bit / 8]));
            bits[bit / 8] |= mask;
            block += wholeByte ? 8 : 1;
        }
    }

    /// <summary>Runs of dirty blocks, ascending.</summary>
    public IEnumerable<(long First, long Count)> DirtyRuns()
    {
        long first = -1;
        for (long block = 0; block < BlockCount;)
        {
            byte[]? page = _pages[block / DirtyPageCodec.BlocksPerPage];
            int bit = (int)(block % DirtyPageCodec.BlocksPerPage);
            bool isUniform = bit == 0 && (page is null || page == s_allDirty);
            byte bits = page is null ? (byte)0 : page[bit / 8];
            bool isWhole = bit % 8 == 0 && BlockCount - block >= 8 && bits is 0 or 0xff;
            bool isDirty = (bits >> (bit % 8) & 1) != 0;
            if (isDirty && first < 0)
            {
                first = block;
            }
            else if (!isDirty && first >= 0)
            {
                yield return (first, block - first);
                first = -1;
            }

            block += isUniform ? Math.Min(DirtyPageCodec.BlocksPerPage, BlockCount - block) : isWhole ? 8 : 1;
        }

        if (first >= 0)
        {
            yield return (first, BlockCount - first);
        }
    }

    /// <summary>
    /// Writes the whole area: no superblock first, the superblock last, so that an interrupted restore leaves
    /// no metadata rather than a mixture. The superblock keeps its sequence: a peer that has seen a later one
    /// recognises a copy that was set back.
    /// </summary>
    /// <param name="write">Writes whole blocks.</param>
    /// <param name="flush">Makes everything written so far durable.</param>
    public void WriteTo(MetadataWrite write, Action flush)
    {
        var block = new byte[MetadataLayout.BlockBytes];
        for (int slot = 0; slot < MetadataLayout.SuperblockSlots; slot++)
        {
            write(MetadataLayout.SuperblockOffset(slot), block);
        }

        flush();
        var ring = new byte[ActivityLogRing.LengthBytes];
        ActivityLogCodec.Encode(
            ring.AsSpan(
                MetadataLayout.LogSlot(LogSequence) * ActivityLogCodec.LengthBytes,
                ActivityLogCodec.LengthBytes),
            Superblock.VolumeIndex, LogSequence, [.. ActiveExtents]);
        write(MetadataLayout.LogOffset, ring);
        for (int page = 0; page < Layout.PageCount; page++)
        {
            DirtyPageCodec.Begin(block, page, Superblock.VolumeIndex);
            _pages[page]?.CopyTo(DirtyPageCodec.Bits(block));
            DirtyPageCodec.Seal(block);
            write(Layout.PageOffset(page), block);
        }

        flush();
        SuperblockCodec.Encode(Superblock, block);
        for (int slot = 0; slot < MetadataLayout.SuperblockSlots; slot++)
        {
            write(MetadataLayout.SuperblockOffset(slot), block);
            flush();
        }
    }

    private static byte[] AllOnes()
    {
        byte[] bits = new byte[DirtyPageCodec.BitsBytes];
        bits.AsSpan().Fill(0xff);
        return bits;
    }

    private void MarkWhole(int page)
    {
        if (_pages[page] != s_allDirty)
        {
            DirtyBlocks += DirtyPageCodec.BlocksPerPage - (_pages[page] ?? []).Sum(bits => BitOperations.PopCount(bits));
            _pages[page] = s_allDirty;
        }
    }
}
