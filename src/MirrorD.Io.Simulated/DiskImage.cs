namespace MirrorD.Io.Simulated;

/// <summary>
/// Sparse bytes of a disk: pages are made when first written; a block without room reads as zeroes.
/// </summary>
internal sealed class DiskImage(long lengthBytes)
{
    private const int PageBytes = 65536;
    private const int BlockBytes = 4096;

    private byte[]?[] _pages = new byte[]?[(lengthBytes + PageBytes - 1) / PageBytes];
    private bool[] _allocated = new bool[(lengthBytes + BlockBytes - 1) / BlockBytes];

    public void Enlarge(long toBytes)
    {
        Array.Resize(ref _pages, (int)((toBytes + PageBytes - 1) / PageBytes));
        Array.Resize(ref _allocated, (int)((toBytes + BlockBytes - 1) / BlockBytes));
    }

    public void Read(long offset, Span<byte> into)
    {
        while (!into.IsEmpty)
        {
            int within = (int)(offset % PageBytes);
            int length = Math.Min(into.Length, PageBytes - within);
            byte[]? page = _pages[offset / PageBytes];
            if (page is null)
            {
                into[..length].Clear();
            }
            else
            {
                page.AsSpan(within, length).CopyTo(into);
            }

            offset += length;
            into = into[length..];
        }
    }

    public void Write(long offset, ReadOnlySpan<byte> from)
    {
        Allocate(offset, from.Length, true);
        while (!from.IsEmpty)
        {
            int within = (int)(offset % PageBytes);
            int length = Math.Min(from.Length, PageBytes - within);
            byte[] page = _pages[offset / PageBytes] ??= new byte[PageBytes];
            from[..length].CopyTo(page.AsSpan(within));
            offset += length;
            from = from[length..];
        }
    }

    public void Zero(long offset, long length, bool unmap)
    {
        if (unmap)
        {
            long firstWhole = (offset + BlockBytes - 1) / BlockBytes * BlockBytes;
            long endWhole = (offset + length) / BlockBytes * BlockBytes;
            if (endWhole > firstWhole)
            {
                Allocate(firstWhole, endWhole - firstWhole, false);
            }
        }
        else
        {
            Allocate(offset, length, true);
        }

        while (length > 0)
        {
            int within = (int)(offset % PageBytes);
            int part = (int)Math.Min(length, PageBytes - within);
            _pages[offset / PageBytes]?.AsSpan(within, part).Clear();
            offset += part;
            length -= part;
        }
    }

    /// <summary>Length of the run of equal allocation that begins at the offset.</summary>
    public long RunAt(long offset, long length, out bool isHole)
    {
        bool allocated = _allocated[offset / BlockBytes];
        long end = offset;
        while (end < offset + length && _allocated[end / BlockBytes] == allocated)
        {
            end = (end / BlockBytes + 1) * BlockBytes;
        }

        isHole = !allocated;
        return Math.Min(end - offset, length);
    }

    public void CopyFrom(DiskImage other)
    {
        for (int i = 0; i < _pages.Length; i++)
        {
            if (other._pages[i] is { } page)
            {
                page.CopyTo(_pages[i] ??= new byte[PageBytes], 0);
            }
            else
            {
                _pages[i] = null;
            }
        }

        other._allocated.CopyTo(_allocated, 0);
    }

    private void Allocate(long offset, long length, bool allocated)
    {
        long last = (offset + length - 1) / BlockBytes;
        for (long block = offset / BlockBytes; block <= last; block++)
        {
            _allocated[block] = allocated;
        }
    }
}
