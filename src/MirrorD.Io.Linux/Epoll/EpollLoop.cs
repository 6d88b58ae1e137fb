using MirrorD.Io.Linux.Epoll;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>
/// The loop where there is no io_uring: sockets by epoll, edge triggered, each tried first and waited for only when it would
/// block; disks by worker threads (<see cref="DiskWorkers"/>).
/// </summary>
public sealed unsafe partial class EpollLoop : LinuxLoop
{
    // Of epoll's data; all others are slots of the table of sockets.
    private const ulong WakeData = ulong.MaxValue;
    private const ulong TimerData = ulong.MaxValue - 1;

    private readonly int _set;
    private readonly int _timerFd;
    private readonly EventMemory _events = new();
    private readonly Queue<LoopOperation> _answered = new();
    private readonly AnsweredList _byWorkers = new();

    // What the timer descriptor will tell next; beyond all deadlines: nothing.
    private long _armedNs = long.MaxValue;
    private int _isAsleep;

    // Workers that may be about to write to the eventfd.
    private int _answering;

    /// <summary>Makes a loop.</summary>
    /// <exception cref="IOException">The kernel has no descriptors left for it.</exception>
    public EpollLoop()
        : base(EventFd.EFD_NONBLOCK)
    {
        _set = EpollCalls.epoll_create1(EpollCalls.EPOLL_CLOEXEC);
        int error = _set < 0 ? LinuxError.Last : 0;
        _timerFd = TimerFd.timerfd_create((int)Clock.CLOCK_BOOTTIME, TimerFd.TFD_CLOEXEC | TimerFd.TFD_NONBLOCK);
        error = error == 0 && _timerFd < 0 ? LinuxError.Last : error;
        if (error == 0)
        {
            error = -EventMemory.Add(_set, WakeFd, EpollCalls.EPOLLIN, WakeData);
            error = error == 0 ? -EventMemory.Add(_set, _timerFd, EpollCalls.EPOLLIN, TimerData) : error;
        }

        if (error != 0)
        {
            CloseOwn();
            _ = Unistd.close(WakeFd);
            throw LinuxError.Exception("epoll is not available", error);
        }
    }

    /// <summary>From a worker: the operation has its result.</summary>
    internal void Answer(LoopOperation operation)
    {
        Interlocked.Increment(ref _answering);
        _byWorkers.Add(operation);
        Wake();
        Interlocked.Decrement(ref _answering);
    }

    private protected override void Start(LoopOperation operation)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (operation.Operation.Kind is OperationKind.Read or OperationKind.Write or OperationKind.Flush
            or OperationKind.Discard or OperationKind.Zero)
        {
            StartDisk(operation);
        }
        else
        {
            Try(operation);
        }
    }

    private protected override void Restart(LoopOperation operation)
    {
        operation.IsParked = false;
        Start(operation);
    }

    /// <summary>What a worker does, or has been answered, comes by itself.</summary>
    private protected override void Cancel(LoopOperation operation)
    {
        if (operation.IsParked)
        {
            operation.IsParked = false;
            Answered(operation, -Errno.ECANCELED);
        }
    }

    private protected override void DeliverCompletions()
    {
        // Only what is there now: a steady stream must not hold up timers and posts.
        _byWorkers.MoveTo(_answered);
        for (int left = _answered.Count; left > 0 && !IsStopped; left--)
        {
            LoopOperation operation = _answered.Dequeue();
            Continue(operation, operation.KernelResult);
        }
    }

    private protected override void Wait()
    {
        bool isIdle = IsIdle && _answered.Count == 0 && ArmTimer();
        if (isIdle)
        {
            // A full fence on both sides: either this sees what was posted, or who posted sees that it sleeps.
            Interlocked.Exchange(ref _isAsleep, 1);
            isIdle = IsIdle && _byWorkers.IsEmpty && !IsStopped;
        }

        int count = _events.Wait(_set, isIdle ? -1 : 0);
        Volatile.Write(ref _isAsleep, 0);
        if (count < 0 && count != -LinuxError.EINTR)
        {
            throw LinuxError.Exception("epoll_wait failed", -count);
        }

        for (int i = 0; i < count; i++)
        {
            uint events = _events.Get(i, out ulong data);
            if (data == TimerData)
            {
                _armedNs = long.MaxValue;
            }
            else if (data != WakeData && _sockets.Find(data) is { } socket)
            {
                TryAgain(socket, events);
            }
        }
    }

    private protected override void Wake()
    {
        if (!IsDisposed && Interlocked.Exchange(ref _isAsleep, 0) == 1)
        {
            SignalWake();
        }
    }

    private protected override void Free(bool isUnused)
    {
        _events.Dispose();
        CloseOwn();
    }

    /// <summary>An operation has a result; it is continued in a later turn.</summary>
    private void Answered(LoopOperation operation, int result)
    {
        operation.KernelResult = result;
        _answered.Enqueue(operation);
    }

    /// <summary>
    /// Has the timer descriptor end a wait at the first deadline, or before it: a deadline that was taken back may wake in
    /// vain. False: the first one is due.
    /// </summary>
    private bool ArmTimer()
    {
        if (FirstDeadlineNs is not { } deadlineNs)
        {
            return true;
        }

        if (deadlineNs <= NowNs)
        {
            return false;
        }

        if (deadlineNs < _armedNs)
        {
            var value = new itimerspec { value_sec = deadlineNs / 1_000_000_000, value_nsec = deadlineNs % 1_000_000_000 };
            if (TimerFd.timerfd_settime(_timerFd, TimerFd.TFD_TIMER_ABSTIME, &value, null) != 0)
            {
                throw LinuxError.Exception("A timer could not be set", LinuxError.Last);
            }

            _armedNs = deadlineNs;
        }

        return true;
    }

    private void CloseOwn()
    {
        _ = Unistd.close(_set);
        _ = Unistd.close(_timerFd);
    }
}
