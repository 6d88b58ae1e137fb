namespace MirrorD.Core.Replication;

/// <summary>
/// The standby's view of the sequence space of one connection: which writes have completed here. A flush
/// makes durable what is below <see cref="Prefix"/> at the moment it is issued.
/// </summary>
public sealed class ReceivedSequences
{
    private readonly HashSet<long> _completedAbove = new(256);

    /// <summary>All writes up to here have completed locally.</summary>
    public long Prefix { get; private set; }

    /// <summary>Highest sequence received; sequences arrive without a gap.</summary>
    public long Received { get; private set; }

    /// <summary>Writes received and not yet completed.</summary>
    public long InFlight => Received - Prefix - _completedAbove.Count;

    /// <summary>A frame arrived. False when its sequence is not the next one: a protocol error.</summary>
    public bool TryReceive(long sequence)
    {
        if (sequence != Received + 1)
        {
            return false;
        }

        Received = sequence;
        return true;
    }

    /// <summary>A received write has completed.</summary>
    public void Completed(long sequence)
    {
        Invariant.Require(sequence > Prefix && sequence <= Received, "a completed write was received before");
        if (sequence != Prefix + 1)
        {
            bool added = _completedAbove.Add(sequence);
            Invariant.Require(added, "a write completes once");
            return;
        }

        Prefix = sequence;
        while (_completedAbove.Count > 0 && _completedAbove.Remove(Prefix + 1))
        {
            Prefix++;
        }
    }

    /// <summary>
    /// The connection ended. Writes of it may still land; they count for nothing any more, and the next
    /// connection begins only when they have.
    /// </summary>
    public void Forget()
    {
        _completedAbove.Clear();
        Prefix = 0;
        Received = 0;
    }
}
