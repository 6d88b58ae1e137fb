namespace MirrorD.Io.Simulated;

/// <summary>
/// Something that will happen, unless it is cancelled or the process that it belongs to dies before.
/// </summary>
internal sealed class SimulatedEvent(SimulatedLoop? owner, Action action)
{
    private bool _cancelled;

    /// <summary>
    /// The host's clock decides when it is due: it comes earlier when that clock jumps forward.
    /// </summary>
    public bool IsTimer { get; init; }

    /// <summary>The host that it happens on; null when it is the world's.</summary>
    public SimulatedNode? Node => owner?.Node;

    public bool IsVoid => _cancelled || owner is { IsDead: true };

    /// <summary>Until when the process that it belongs to does nothing; 0 when it is not paused.</summary>
    public long PausedUntilNs => owner?.PausedUntilNs ?? 0;

    public void Cancel() => _cancelled = true;

    public void Run() => action();
}

/// <summary>By time, then by a tie-break from the seed, then by age.</summary>
internal readonly record struct EventOrder(long TimeNs, ulong Tie, ulong Number) : IComparable<EventOrder>
{
    public int CompareTo(EventOrder other)
    {
        int byTime = TimeNs.CompareTo(other.TimeNs);
        if (byTime != 0)
        {
            return byTime;
        }

        int byTie = Tie.CompareTo(other.Tie);
        return byTie != 0 ? byTie : Number.CompareTo(other.Number);
    }
}
