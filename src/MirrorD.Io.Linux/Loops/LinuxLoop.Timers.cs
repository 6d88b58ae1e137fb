using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Timers, and the time limits of connects, which share their heap.</summary>
public abstract unsafe partial class LinuxLoop
{
    private readonly TimerHeap _timers = new();

    /// <inheritdoc/>
    public void StartTimer(long deadlineNs, IoOperation operation)
    {
        operation.Begin(OperationKind.Timer);
        LoopOperation started = LoopOperation.Of(operation);
        started.DeadlineNs = deadlineNs;
        _timers.Add(started);
    }

    /// <inheritdoc/>
    public void CancelTimer(IoOperation operation)
    {
        if (operation.IsPending && operation.Kind == OperationKind.Timer
            && operation.LoopState is LoopOperation { HeapIndex: >= 0 } timer)
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
            else if (timer.DeadlineNs < timer.LimitNs)
            {
                timer.DeadlineNs = timer.LimitNs;
                _timers.Add(timer);
                Restart(timer);
            }
            else
            {
                timer.IsTimedOut = true;
                Cancel(timer);
            }
        }
    }

    /// <summary>A connect that can't be begun now is begun again after a while, if its time is not over by then.</summary>
    private protected void ConnectLater(LoopOperation operation, long delayNs)
    {
        _timers.Remove(operation);
        operation.DeadlineNs = long.Min(NowNs + delayNs, operation.LimitNs);
        _timers.Add(operation);
    }

    /// <summary>When the first timer is due; null: there is none.</summary>
    private protected long? FirstDeadlineNs => _timers.First?.DeadlineNs;
}
