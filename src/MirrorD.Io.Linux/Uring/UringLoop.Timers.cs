using MirrorD.Io.Linux.Uring;

namespace MirrorD.Io.Linux;

/// <summary>Timers, and the time limits of connects, which share their heap.</summary>
public sealed unsafe partial class UringLoop
{
    private readonly TimerHeap _timers = new();

    /// <inheritdoc/>
    public void StartTimer(long deadlineNs, IoOperation operation)
    {
        operation.Begin(OperationKind.Timer);
        UringOperation started = UringOperation.Of(operation);
        started.DeadlineNs = deadlineNs;
        _timers.Add(started);
    }

    /// <inheritdoc/>
    public void CancelTimer(IoOperation operation)
    {
        if (operation.IsPending && operation.Kind == OperationKind.Timer
            && operation.LoopState is UringOperation { HeapIndex: >= 0 } timer)
        {
            _timers.Remove(timer);
            CompleteLater(timer, -Errno.ECANCELED);
        }
    }

    private void DeliverTimers()
    {
        if (_timers.First is null)
        {
            return;
        }

        long nowNs = NowNs;
        long lastSequence = _timers.LastSequence; // Timers that callbacks start wait for the next turn.
        while (!_isStopped && _timers.First is { } timer
            && timer.DeadlineNs <= nowNs && timer.TimerSequence <= lastSequence)
        {
            _timers.Remove(timer);
            if (timer.Operation.Kind == OperationKind.Timer)
            {
                timer.Operation.Complete(0);
            }
            else
            {
                timer.IsTimedOut = true;
                Cancel(timer);
            }
        }
    }

    /// <summary>0: due, or overdue; -1: there is no timer.</summary>
    private long UntilFirstTimerNs() =>
        _timers.First is { } timer ? long.Max(0, timer.DeadlineNs - NowNs) : -1;
}
