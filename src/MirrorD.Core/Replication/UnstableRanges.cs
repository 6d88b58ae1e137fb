namespace MirrorD.Core.Replication;

/// <summary>
/// The primary's list of every range above the standby's durable point, acknowledged or not. When the link is
/// lost they all enter the dirty map: the standby may have lost any of them.
/// </summary>
public sealed class UnstableRanges
{
    private readonly Queue<Range> _ranges = new(Limits.UnstableRanges);

    private readonly record struct Range(long Sequence, int Volume, long Offset, long LengthBytes);

    /// <summary>Nothing is above the durable point.</summary>
    public bool IsEmpty => _ranges.Count == 0;

    /// <summary>Ranges kept.</summary>
    public int Count => _ranges.Count;

    /// <summary>Bytes of all ranges kept.</summary>
    public long Bytes { get; private set; }

    /// <summary>Notes what is sent; sequences rise.</summary>
    public void Add(long sequence, int volume, long offset, long lengthBytes)
    {
        _ranges.Enqueue(new Range(sequence, volume, offset, lengthBytes));
        Bytes += lengthBytes;
    }

    /// <summary>The standby has flushed everything up to the sequence.</summary>
    public void DurableThrough(long sequence)
    {
        while (_ranges.TryPeek(out Range range) && range.Sequence <= sequence)
        {
            _ranges.Dequeue();
            Bytes -= range.LengthBytes;
        }
    }

    /// <summary>Moves everything into the dirty maps (one per volume).</summary>
    public void MoveTo(ReadOnlySpan<Metadata.DirtyMap> maps)
    {
        while (_ranges.TryDequeue(out Range range))
        {
            maps[range.Volume].MarkRange(range.Offset, range.LengthBytes);
        }

        Bytes = 0;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _ranges.Clear();
        Bytes = 0;
    }
}
