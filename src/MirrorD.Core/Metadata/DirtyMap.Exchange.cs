using System.Buffers.Binary;
using System.Numerics;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Metadata;

/// <summary>The exchange of maps between nodes, page by page in the stored form.</summary>
public sealed partial class DirtyMap
{
    /// <summary>Bytes of a page's bits.</summary>
    public const int PageBytes = DirtyPageCodec.BitsBytes;

    /// <summary>No block of the page is dirty.</summary>
    public bool IsPageEmpty(int page)
    {
        RequirePage(page);
        return _dirtyInPage[page] == 0;
    }

    /// <summary>
    /// Marks everything that the other node's page has marked. Bits beyond the volume are dropped.
    /// </summary>
    /// <param name="page">Which page.</param>
    /// <param name="bits"><see cref="PageBytes"/> bytes.</param>
    public void MergePage(int page, ReadOnlySpan<byte> bits)
    {
        Invariant.Require(bits.Length == PageBytes, "the span holds the bits of one page");
        Span<ulong> words = PageWords(page);
        int added = 0;
        for (int i = 0; i < words.Length; i++)
        {
            ulong word = BinaryPrimitives.ReadUInt64LittleEndian(bits[(i * sizeof(ulong))..]);
            long beyond = (page * (long)WordsPerPage + i + 1) * 64 - BlockCount;
            word = beyond > 0 ? word & ulong.MaxValue >> (int)beyond : word;
            added += BitOperations.PopCount(word & ~words[i]);
            words[i] |= word;
        }

        Count(page, added);
    }
}
