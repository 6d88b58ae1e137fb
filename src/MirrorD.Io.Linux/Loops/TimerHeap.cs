namespace MirrorD.Io.Linux.Loops;

/// <summary>
/// Operations by deadline, earliest first, equal ones in the order of their start. Binary heap.
/// </summary>
internal sealed class TimerHeap
{
    private LoopOperation[] _heap = new LoopOperation[64];
    private int _count;
    private long _sequence;

    /// <summary>The earliest; null when empty.</summary>
    public LoopOperation? First => _count == 0 ? null : _heap[0];

    /// <summary>Operations added later have a higher <see cref="LoopOperation.TimerSequence"/>.</summary>
    public long LastSequence => _sequence;

    public void Add(LoopOperation timer)
    {
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, 2 * _count);
        }

        timer.TimerSequence = ++_sequence;
        MoveUp(timer, _count++);
    }

    public void Remove(LoopOperation timer)
    {
        int hole = timer.HeapIndex;
        timer.HeapIndex = -1;
        LoopOperation last = _heap[--_count];
        _heap[_count] = null!;
        if (last == timer)
        {
            return;
        }

        if (hole > 0 && IsBefore(last, _heap[(hole - 1) / 2]))
        {
            MoveUp(last, hole);
        }
        else
        {
            MoveDown(last, hole);
        }
    }

    private void MoveUp(LoopOperation timer, int hole)
    {
        while (hole > 0 && IsBefore(timer, _heap[(hole - 1) / 2]))
        {
            Place(_heap[(hole - 1) / 2], hole);
            hole = (hole - 1) / 2;
        }

        Place(timer, hole);
    }

    private void MoveDown(LoopOperation timer, int hole)
    {
        for (int child; (child = (2 * hole) + 1) < _count; hole = child)
        {
            if (child + 1 < _count && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (!IsBefore(_heap[child], timer))
            {
                break;
            }

            Place(_heap[child], hole);
        }

        Place(timer, hole);
    }

    private void Place(LoopOperation timer, int index)
    {
        _heap[index] = timer;
        timer.HeapIndex = index;
    }

    private static bool IsBefore(LoopOperation a, LoopOperation b) =>
        a.DeadlineNs != b.DeadlineNs ? a.DeadlineNs < b.DeadlineNs : a.TimerSequence < b.TimerSequence;
}
