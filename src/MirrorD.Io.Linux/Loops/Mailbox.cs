namespace MirrorD.Io.Linux.Loops;

/// <summary>
/// Actions from other threads, in the order of posting. Two lists take turns: nothing is allocated.
/// </summary>
internal sealed class Mailbox
{
    private readonly Lock _lock = new();
    private List<Action> _posted = [];
    private List<Action> _taken = [];
    private int _next;
    private volatile bool _hasPosted; // Spares the loop the lock in each turn without post.

    /// <summary>From the loop's thread: nothing to run.</summary>
    public bool IsEmpty => _next == _taken.Count && !_hasPosted;

    public void Add(Action action)
    {
        lock (_lock)
        {
            _posted.Add(action);
            _hasPosted = true;
        }
    }

    /// <summary>
    /// From the loop's thread: has everything posted until now taken by <see cref="TryTake"/>.
    /// </summary>
    public void Collect()
    {
        if (_next < _taken.Count || !_hasPosted)
        {
            return; // What a stopped loop left comes first.
        }

        _taken.Clear();
        _next = 0;
        lock (_lock)
        {
            _hasPosted = false;
            (_posted, _taken) = (_taken, _posted);
        }
    }

    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Action? action)
    {
        if (_next == _taken.Count)
        {
            action = null;
            return false;
        }

        action = _taken[_next++];
        return true;
    }
}
