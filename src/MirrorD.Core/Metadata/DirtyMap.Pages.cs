using System.Buffers.Binary;
using System.Numerics;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Metadata;

/// <summary>The stored form: pages of <see cref="DirtyPageCodec.BlocksPerPage"/> blocks.</summary>
public sealed partial class DirtyMap
{
    private ulong[] _changedPages;
    private int _changedPageCount;
    private int _takeFromWord;

    /// <summary>Pages of the map.</summary>
    public int PageCount { get; private set; }

    /// <summary>Some page differs from what the store was last given.</summary>
    public bool HasChangedPages => _changedPageCount > 0;

    /// <summary>True when this page differs from what the store was last given.</summary>
    public bool IsPageChanged(int page)
    {
        RequirePage(page);
        return (_changedPages[page >> 6] >> (page & 63) & 1) != 0;
    }

    /// <summary>
    /// Gives a changed page and counts it as stored from now on; -1 when there is none. A page that changes
    /// afterwards is given again.
    /// </summary>
    public int TakeChangedPage()
    {
        if (_changedPageCount == 0)
        {
            return -1;
        }

        while (_changedPages[_takeFromWord] == 0)
        {
            _takeFromWord = (_takeFromWord + 1) % _changedPages.Length;
        }

        int bit = BitOperations.TrailingZeroCount(_changedPages[_takeFromWord]);
        _changedPages[_takeFromWord] &= ~(1UL << bit);
        _changedPageCount--;
        return (_takeFromWord << 6) + bit;
    }

    /// <summary>The page has to be stored (again): its bits changed, or storing it failed.</summary>
    public void MarkPageChanged(int page)
    {
        RequirePage(page);
        ulong bit = 1UL << (page & 63);
        ref ulong word = ref _changedPages[page >> 6];
        if ((word & bit) == 0)
        {
            word |= bit;
            _changedPageCount++;
        }
    }

    /// <summary>Every page has to be stored: the store holds something else.</summary>
    public void MarkAllPagesChanged()
    {
        for (int page = 0; page < PageCount; page++)
        {
            MarkPageChanged(page);
        }
    }

    /// <summary>Copies the page's bits in their stored form.</summary>
    /// <param name="page">Which page.</param>
    /// <param name="bits"><see cref="DirtyPageCodec.BitsBytes"/> bytes; those beyond the volume become
    /// zero.</param>
    public void CopyPage(int page, Span<byte> bits)
    {
        Invariant.Require(bits.Length == DirtyPageCodec.BitsBytes, "the span holds the bits of one page");
        Span<ulong> words = PageWords(page);
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bits[(i * sizeof(ulong))..], words[i]);
        }

        bits[(words.Length * sizeof(ulong))..].Clear();
    }

    /// <summary>
    /// Replaces the page's bits by stored ones; the page then counts as stored. Bits beyond the volume are
    /// dropped.
    /// </summary>
    /// <param name="page">Which page.</param>
    /// <param name="bits"><see cref="DirtyPageCodec.BitsBytes"/> bytes.</param>
    public void LoadPage(int page, ReadOnlySpan<byte> bits)
    {
        Invariant.Require(bits.Length == DirtyPageCodec.BitsBytes, "the span holds the bits of one page");
        Span<ulong> words = PageWords(page);
        int dirty = 0;
        for (int i = 0; i < words.Length; i++)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bits[(i * sizeof(ulong))..]);
            long beyond = (page * (long)WordsPerPage + i + 1) * 64 - BlockCount;
            words[i] = beyond > 0 ? word & ulong.MaxValue >> (int)beyond : word;
            dirty += BitOperations.PopCount(words[i]);
        }

        DirtyBlocks += dirty - _dirtyInPage[page];
        _dirtyInPage[page] = dirty;
        MarkPageStored(page);
    }

    /// <summary>
    /// Marks all blocks of a page whose stored form can't be trusted, and the page as to be stored.
    /// </summary>
    public void MarkPageDirty(int page)
    {
        RequirePage(page);
        long first = (long)page * DirtyPageCodec.BlocksPerPage;
        Change(first, Math.Min(DirtyPageCodec.BlocksPerPage, BlockCount - first), dirty: true);
        MarkPageChanged(page);
    }

    private void MarkPageStored(int page)
    {
        ulong bit = 1UL << (page & 63);
        ref ulong word = ref _changedPages[page >> 6];
        if ((word & bit) != 0)
        {
            word &= ~bit;
            _changedPageCount--;
        }
    }

    private void RequirePage(int page) =>
        Invariant.Require(page >= 0 && page < PageCount, "the page belongs to the map");
}
