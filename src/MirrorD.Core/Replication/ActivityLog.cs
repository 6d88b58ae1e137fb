namespace MirrorD.Core.Replication;

/// <summary>What entering an extent range led to.</summary>
public enum ActivityEntry
{
    /// <summary>All extents are in the durable log: go on.</summary>
    Active,
    /// <summary>Some wait for the next log transaction: see the ticket.</summary>
    Pending,
    /// <summary>No room: nothing was entered; try again when something became clean.</summary>
    Full,
}

/// <summary>
/// The activity log of one volume: which extents may differ after a crash of the primary. It does no I/O: it
/// says when a transaction has to be written and what is in it. States of an extent: absent → pending (in the
/// next or a running transaction) → durable → absent (evicted). Invariants: a transaction holds the whole
/// set; an extent is evicted only when nothing in it is in flight and its last write is clean (<see
/// cref="CleanThrough"/>): flushed on both sides, or in the durable dirty map. An extent with nothing in flight is clean, or
/// a checkpoint makes it so.
/// </summary>
public sealed class ActivityLog
{
    private readonly Dictionary<uint, int> _slotOf;
    private readonly Slot[] _slots;
    private readonly Stack<int> _free;
    private readonly uint[] _ascending;
    private readonly int[] _oldest;
    private readonly int _reserve;
    private long _cleanThrough;
    private int _clean;
    private int _unclean;
    private int _taken;
    private long _changeNumber;
    private long _storingThrough;
    private long _durableThrough;

    /// <summary>Makes an empty log.</summary>
    public ActivityLog(int capacity)
    {
        _slots = new Slot[capacity];
        _ascending = new uint[capacity];
        _oldest = new int[capacity];
        _reserve = Math.Max(1, capacity / Limits.ReservedShareOfExtents);
        _slotOf = new Dictionary<uint, int>(capacity);
        _free = new Stack<int>(capacity);
        for (int i = capacity - 1; i >= 0; i--)
        {
            _free.Push(i);
        }
    }

    private struct Slot
    {
        public uint Extent;
        public int InFlight;
        public long ChangeNumber;
        public long LastTouch;
    }

    /// <summary>Extents in the set.</summary>
    public int Count => _slotOf.Count;

    /// <summary>Extents that are free, or may be evicted: so many new ones find room without a checkpoint.</summary>
    public int Room => _free.Count + _clean;

    /// <summary>
    /// A checkpoint is due before anybody has to wait for one: little room is left, and there is as much to gain. Not for
    /// writes that stay within the log, and not again before as many extents were taken since the last one began.
    /// </summary>
    public bool WantsCheckpoint => Room < _reserve && _unclean >= _reserve && _taken >= _reserve;

    /// <summary>Extents with nothing in flight and last touched up to here may be evicted.</summary>
    public long CleanThrough
    {
        get => _cleanThrough;
        set
        {
            _cleanThrough = value;
            _clean = 0;
            _unclean = 0;
            foreach (int index in _slotOf.Values)
            {
                CountIdle(in _slots[index], 1);
            }
        }
    }

    /// <summary>A transaction is being written.</summary>
    public bool IsStoring { get; private set; }

    /// <summary>The set has members that no written or running transaction holds.</summary>
    public bool NeedsStore => _changeNumber > (IsStoring ? _storingThrough : _durableThrough);

    /// <summary>Transactions up to this ticket are durable.</summary>
    public long DurableThrough => _durableThrough;

    /// <summary>
    /// Enters all extents of a range, counting it as in flight in each. <paramref name="ticket"/> is the
    /// change that has to become durable (compare with <see cref="DurableThrough"/>).
    /// </summary>
    public ActivityEntry Enter(uint first, uint last, out long ticket)
    {
        ticket = 0;
        int missing = 0;
        for (uint extent = first; extent <= last; extent++)
        {
            missing += _slotOf.ContainsKey(extent) ? 0 : 1;
        }

        Invariant.Require(last - first < _slots.Length, "a request is smaller than the activity log");
        if (missing > _free.Count && !Evict(missing, first, last))
        {
            return ActivityEntry.Full;
        }

        for (uint extent = first; extent <= last; extent++)
        {
            if (!_slotOf.TryGetValue(extent, out int index))
            {
                index = _free.Pop();
                InsertInOrder(extent);
                _slotOf.Add(extent, index);
                _slots[index] = new Slot { Extent = extent, ChangeNumber = ++_changeNumber };
                _taken++;
            }
            else
            {
                CountIdle(in _slots[index], -1);
            }

            _slots[index].InFlight++;
            ticket = Math.Max(ticket, _slots[index].ChangeNumber);
        }

        return ticket <= _durableThrough ? ActivityEntry.Active : ActivityEntry.Pending;
    }

    /// <summary>
    /// A range entered before is no longer in flight; <paramref name="touch"/> is its place in the order of
    /// completions.
    /// </summary>
    public void Leave(uint first, uint last, long touch)
    {
        for (uint extent = first; extent <= last; extent++)
        {
            ref Slot slot = ref _slots[_slotOf[extent]];
            Invariant.Require(slot.InFlight > 0, "an extent is left as often as it was entered");
            slot.InFlight--;
            slot.LastTouch = Math.Max(slot.LastTouch, touch);
            CountIdle(in slot, 1);
        }
    }

    /// <summary>A checkpoint begins: <see cref="WantsCheckpoint"/> counts anew.</summary>
    public void CheckpointBegins() => _taken = 0;

    /// <summary>
    /// Begins a transaction: the whole set, ascending, for the store to write durably. Valid until the set changes.
    /// </summary>
    public ReadOnlySpan<uint> BeginStore()
    {
        Invariant.Require(!IsStoring, "one log transaction at a time");
        IsStoring = true;
        _storingThrough = _changeNumber;
        return _ascending.AsSpan(0, _slotOf.Count);
    }

    /// <summary>The transaction is durable.</summary>
    public void StoreDone()
    {
        Invariant.Require(IsStoring, "a log transaction was running");
        IsStoring = false;
        _durableThrough = _storingThrough;
    }

    /// <summary>
    /// Forgets every clean extent, for a demotion: after the next transaction the log on disk is as small as
    /// it can be. Nothing may be in flight. True when the set is empty.
    /// </summary>
    public bool Clear()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slotOf.TryGetValue(_slots[i].Extent, out int index) && index == i && IsClean(in _slots[i]))
            {
                Remove(i);
            }
        }

        _changeNumber++;
        return _slotOf.Count == 0;
    }

    private bool IsClean(ref readonly Slot slot) => slot.InFlight == 0
        && (slot.LastTouch <= CleanThrough || Canary.Breaks(BrokenRule.LogExtentFreedEarly));

    /// <summary>An extent with nothing in flight becomes one of those that are counted, or is none any more.</summary>
    private void CountIdle(ref readonly Slot slot, int change)
    {
        if (IsClean(in slot))
        {
            _clean += change;
        }
        else if (slot.InFlight == 0)
        {
            _unclean += change;
        }
    }

    private bool Evict(int needed, uint first, uint last)
    {
        int wanted = Math.Max(needed, Math.Min(Limits.ExtentEvictionBatch, _slots.Length / 4)) - _free.Count;

        // One look at each extent: a write that misses the log must not pay for a search of its own.
        int found = 0;
        foreach ((uint extent, int index) in _slotOf)
        {
            if ((extent >= first && extent <= last) || !IsClean(in _slots[index])
                || (found == wanted && _slots[index].LastTouch >= _slots[_oldest[found - 1]].LastTouch))
            {
                continue;
            }

            int at = found < wanted ? found++ : found - 1;
            for (; at > 0 && _slots[_oldest[at - 1]].LastTouch > _slots[index].LastTouch; at--)
            {
                _oldest[at] = _oldest[at - 1];
            }

            _oldest[at] = index;
        }

        for (int i = 0; i < found; i++)
        {
            Remove(_oldest[i]);
        }

        return _free.Count >= needed;
    }

    /// <summary>A transaction that had to sort the set would cost more than all else that it does.</summary>
    private void InsertInOrder(uint extent)
    {
        int count = _slotOf.Count;
        int at = ~_ascending.AsSpan(0, count).BinarySearch(extent);
        _ascending.AsSpan(at, count - at).CopyTo(_ascending.AsSpan(at + 1));
        _ascending[at] = extent;
    }

    /// <summary>Only what is clean is ever removed.</summary>
    private void Remove(int index)
    {
        int count = _slotOf.Count;
        int at = _ascending.AsSpan(0, count).BinarySearch(_slots[index].Extent);
        _ascending.AsSpan(at + 1, count - at - 1).CopyTo(_ascending.AsSpan(at));
        _clean--;
        _slotOf.Remove(_slots[index].Extent);
        _free.Push(index);
    }
}
