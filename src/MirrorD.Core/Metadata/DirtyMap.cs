using System.Numerics;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Metadata;

/// <summary>
/// Bitmap of the blocks of one volume that the peer may not have (safety contract, sections 1 and 3). Does no
/// I/O: it remembers which pages differ from their stored form, and the store asks for them.
/// Bits beyond the volume's end are never set.
/// </summary>
public sealed partial class DirtyMap
{
    /// <summary>Bytes of data behind one bit.</summary>
    public const int BlockBytes = 4096;

    private const int WordsPerPage = DirtyPageCodec.BlocksPerPage / 64;

    private ulong[] _words;
    private int[] _dirtyInPage;

    /// <summary>A map without a dirty block; all pages count as stored.</summary>
    /// <param name="volumeBytes">Size of the volume; a last block may be partial.</param>
    public DirtyMap(long volumeBytes)
    {
        Invariant.Require(volumeBytes > 0, "a volume has at least one byte");
        VolumeBytes = volumeBytes;
        BlockCount = (volumeBytes - 1) / BlockBytes + 1;
        PageCount = checked((int)((BlockCount - 1) / DirtyPageCodec.BlocksPerPage + 1));
        _words = new ulong[(BlockCount - 1) / 64 + 1];
        _dirtyInPage = new int[PageCount];
        _changedPages = new ulong[(PageCount - 1) / 64 + 1];
    }

    /// <summary>Size of the volume.</summary>
    public long VolumeBytes { get; private set; }

    /// <summary>Blocks of the volume.</summary>
    public long BlockCount { get; private set; }

    /// <summary>How many of them are dirty.</summary>
    public long DirtyBlocks { get; private set; }

    /// <summary>No block is dirty.</summary>
    public bool IsEmpty => DirtyBlocks == 0;

    /// <summary>Marks every block that the byte range touches.</summary>
    /// <param name="offset">First byte, inside the volume.</param>
    /// <param name="lengthBytes">Length; 0 marks nothing.</param>
    public void MarkRange(long offset, long lengthBytes)
    {
        Invariant.Require(offset >= 0 && lengthBytes >= 0 && lengthBytes <= VolumeBytes - offset,
            "a marked range lies inside the volume");
        if (lengthBytes == 0)
        {
            return;
        }

        long first = offset / BlockBytes;
        Change(first, (offset + lengthBytes - 1) / BlockBytes - first + 1, dirty: true);
    }

    /// <summary>
    /// The volume grows: every block that it did not have as a whole before is dirty, and its pages are to be stored.
    /// </summary>
    /// <param name="volumeBytes">Its new size, not below the present one.</param>
    public void Grow(long volumeBytes)
    {
        Invariant.Require(volumeBytes >= VolumeBytes, "a volume never shrinks");
        long firstNew = VolumeBytes / BlockBytes;
        int oldPages = PageCount;
        VolumeBytes = volumeBytes;
        BlockCount = (volumeBytes - 1) / BlockBytes + 1;
        PageCount = checked((int)((BlockCount - 1) / DirtyPageCodec.BlocksPerPage + 1));
        Array.Resize(ref _words, checked((int)((BlockCount - 1) / 64 + 1)));
        Array.Resize(ref _dirtyInPage, PageCount);
        Array.Resize(ref _changedPages, (PageCount - 1) / 64 + 1);
        Change(firstNew, BlockCount - firstNew, dirty: true);
        for (int page = oldPages; page < PageCount; page++)
        {
            MarkPageChanged(page);
        }
    }

    /// <summary>Marks the whole volume.</summary>
    public void MarkAll() => Change(0, BlockCount, dirty: true);

    /// <summary>
    /// The peer has these blocks. A rule of resync decides when that is so: a block, never a part of one.
    /// </summary>
    public void ClearBlocks(long firstBlock, long count)
    {
        Invariant.Require(firstBlock >= 0 && count >= 0 && count <= BlockCount - firstBlock,
            "cleared blocks lie inside the volume");
        Change(firstBlock, count, dirty: false);
    }

    /// <summary>True when the block is dirty.</summary>
    public bool IsDirty(long block)
    {
        Invariant.Require(block >= 0 && block < BlockCount, "the block lies inside the volume");
        return (_words[block >> 6] >> (int)(block & 63) & 1) != 0;
    }

    /// <summary>The first dirty block from here on, or -1.</summary>
    /// <param name="fromBlock">0 or more; at or beyond the end gives -1.</param>
    public long NextDirty(long fromBlock)
    {
        Invariant.Require(fromBlock >= 0, "blocks are counted from zero");
        if (fromBlock >= BlockCount)
        {
            return -1;
        }

        long word = fromBlock >> 6;
        ulong bits = _words[word] & ulong.MaxValue << (int)(fromBlock & 63);
        while (bits == 0)
        {
            word++;
            // A clean page is passed over as a whole.
            while (word < _words.Length && word % WordsPerPage == 0 && _dirtyInPage[word / WordsPerPage] == 0)
            {
                word += WordsPerPage;
            }

            if (word >= _words.Length)
            {
                return -1;
            }

            bits = _words[word];
        }

        return (word << 6) + BitOperations.TrailingZeroCount(bits);
    }

    /// <summary>
    /// How many blocks from this one on are dirty without a gap, at most <paramref name="max"/>.
    /// </summary>
    public long DirtyRunLength(long block, long max)
    {
        Invariant.Require(block >= 0 && block < BlockCount && max >= 0, "the run begins inside the volume");
        long end = Math.Min(BlockCount, max > BlockCount - block ? BlockCount : block + max);
        long at = block;
        while (at < end)
        {
            ulong clean = ~_words[at >> 6] >> (int)(at & 63);
            int room = 64 - (int)(at & 63);
            int run = Math.Min(room, BitOperations.TrailingZeroCount(clean));
            at += run;
            if (run < room)
            {
                break;
            }
        }

        return Math.Min(at, end) - block;
    }

    /// <summary>Marks everything that the other map of the same volume has marked.</summary>
    public void Merge(DirtyMap other)
    {
        Invariant.Require(other.VolumeBytes == VolumeBytes, "merged maps describe the same volume");
        for (int page = 0; page < PageCount; page++)
        {
            if (other._dirtyInPage[page] == 0)
            {
                continue;
            }

            ReadOnlySpan<ulong> theirs = other.PageWords(page);
            Span<ulong> mine = PageWords(page);
            int added = 0;
            for (int i = 0; i < mine.Length; i++)
            {
                added += BitOperations.PopCount(theirs[i] & ~mine[i]);
                mine[i] |= theirs[i];
            }

            Count(page, added);
        }
    }

    private void Change(long firstBlock, long count, bool dirty)
    {
        long end = firstBlock + count;
        long at = firstBlock;
        while (at < end)
        {
            int page = (int)(at / DirtyPageCodec.BlocksPerPage);
            long pageEnd = Math.Min(end, (page + 1L) * DirtyPageCodec.BlocksPerPage);
            int difference = 0;
            while (at < pageEnd)
            {
                int bit = (int)(at & 63);
                int bits = (int)Math.Min(64 - bit, pageEnd - at);
                ulong mask = ulong.MaxValue >> (64 - bits) << bit;
                ref ulong word = ref _words[at >> 6];
                ulong next = dirty ? word | mask : word & ~mask;
                difference += BitOperations.PopCount(next) - BitOperations.PopCount(word);
                word = next;
                at += bits;
            }

            Count(page, difference);
        }
    }

    /// <summary>
    /// Bits are only ever all set or all cleared, so an unchanged count means an unchanged page.
    /// </summary>
    private void Count(int page, int difference)
    {
        if (difference == 0)
        {
            return;
        }

        _dirtyInPage[page] += difference;
        DirtyBlocks += difference;
        MarkPageChanged(page);
    }

    private Span<ulong> PageWords(int page)
    {
        Invariant.Require(page >= 0 && page < PageCount, "the page belongs to the map");
        int first = page * WordsPerPage;
        return _words.AsSpan(first, Math.Min(WordsPerPage, _words.Length - first));
    }
}
