namespace MirrorD.Core.Replication;

/// <summary>
/// What clients were told while the peer has not completed it, and the bound on it. Mode async admits a mutation before it is
/// sent: everything admitted and not completed by the peer is within the bound, so whoever is answered is. In mode memory the
/// peer's slots are the bound. All objects are made at the start.
/// </summary>
public sealed class AheadWrites
{
    private readonly long _limitBytes;
    private readonly long _limitNs;
    private readonly Dictionary<long, AheadWrite> _bySequence;
    private readonly Stack<AheadWrite> _free;
    private readonly int _capacity;
    private AheadWrite? _newest;
    private int _admitted;

    /// <summary>Makes an empty set.</summary>
    /// <param name="limitBytes">Of admitted mutations; a single larger one is admitted alone.</param>
    /// <param name="limitNs">Nothing is admitted while the oldest answer is older than this.</param>
    /// <param name="capacity">Mutations at once.</param>
    public AheadWrites(long limitBytes, long limitNs, int capacity)
    {
        _limitBytes = limitBytes;
        _limitNs = limitNs;
        _capacity = capacity;
        _bySequence = new Dictionary<long, AheadWrite>(capacity);
        _free = new Stack<AheadWrite>(capacity);
        for (int i = 0; i < capacity; i++)
        {
            _free.Push(new AheadWrite());
        }
    }

    /// <summary>Answered, and not completed by the peer.</summary>
    public int Count => _bySequence.Count;

    /// <summary>Bytes of them.</summary>
    public long Bytes { get; private set; }

    /// <summary>Bytes admitted, answered or not, that the peer has not completed.</summary>
    public long AdmittedBytes { get; private set; }

    /// <summary>The one that was answered first; the others follow by age.</summary>
    public AheadWrite? Oldest { get; private set; }

    /// <summary>Whether a mutation may be admitted now.</summary>
    public bool HasRoom(long lengthBytes, long nowNs) =>
        _admitted < _capacity && (AdmittedBytes == 0 || AdmittedBytes + lengthBytes <= _limitBytes)
        && (Oldest is null || nowNs - Oldest.SinceNs <= _limitNs);

    /// <summary>A mutation is about to be sent; <see cref="HasRoom"/> was true.</summary>
    public void Admit(long lengthBytes)
    {
        _admitted++;
        AdmittedBytes += lengthBytes;
    }

    /// <summary>An admitted mutation is completed by the peer, or not on its way any more.</summary>
    public void Withdraw(long lengthBytes)
    {
        _admitted--;
        AdmittedBytes -= lengthBytes;
        Invariant.Require(_admitted >= 0 && AdmittedBytes >= 0, "what is withdrawn was admitted before");
    }

    /// <summary>The client of a sent mutation is about to be answered; null when there is no room to remember it.</summary>
    /// <param name="range">What it changes.</param>
    /// <param name="sequence">Under which it was sent.</param>
    /// <param name="isAdmitted">It was admitted before; the object withdraws it.</param>
    /// <param name="nowNs">Time of the answer.</param>
    public AheadWrite? TryAdd(IRangeUser range, long sequence, bool isAdmitted, long nowNs)
    {
        if (!_free.TryPop(out AheadWrite? write))
        {
            return null;
        }

        write.Volume = range.Volume;
        write.Offset = range.Offset;
        write.LengthBytes = range.LengthBytes;
        write.Sequence = sequence;
        write.SinceNs = nowNs;
        write.IsAdmitted = isAdmitted;
        write.HoldsRange = false;
        write.Older = _newest;
        write.Newer = null;
        if (_newest is null)
        {
            Oldest = write;
        }
        else
        {
            _newest.Newer = write;
        }

        _newest = write;
        _bySequence.Add(write.Sequence, write);
        Bytes += write.LengthBytes;
        return write;
    }

    /// <summary>
    /// The peer has completed this sequence: takes it out, if it is one of these. <see cref="Return"/> follows.
    /// </summary>
    public AheadWrite? Remove(long sequence)
    {
        if (!_bySequence.Remove(sequence, out AheadWrite? write))
        {
            return null;
        }

        if (write.Older is { } older)
        {
            older.Newer = write.Newer;
        }
        else
        {
            Oldest = write.Newer;
        }

        if (write.Newer is { } newer)
        {
            newer.Older = write.Older;
        }
        else
        {
            _newest = write.Older;
        }

        Bytes -= write.LengthBytes;
        if (write.IsAdmitted)
        {
            write.IsAdmitted = false;
            Withdraw(write.LengthBytes);
        }

        return write;
    }

    /// <summary>The object may be used again.</summary>
    public void Return(AheadWrite write)
    {
        write.Older = null;
        write.Newer = null;
        _free.Push(write);
    }

    /// <summary>Any of them overlaps the range, up to this sequence.</summary>
    public bool Overlaps(IRangeUser range, long throughSequence)
    {
        for (AheadWrite? write = Oldest; write is not null; write = write.Newer)
        {
            if (write.Sequence <= throughSequence && write.Volume == range.Volume && write.Offset < range.Offset + range.LengthBytes
                && range.Offset < write.Offset + write.LengthBytes)
            {
                return true;
            }
        }

        return false;
    }
}
