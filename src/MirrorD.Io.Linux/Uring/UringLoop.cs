using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Uring;

namespace MirrorD.Io.Linux;

/// <summary>
/// The loop on io_uring. Made on any thread; the first <see cref="Run"/> binds it to its thread. Operations
/// submitted before that wait for it. See docs/internals/io-loop.md.
/// </summary>
public sealed unsafe partial class UringLoop : IIoLoop, IDisposable
{
    private const uint Completions = 4096;

    // User data of entries that are not in the table of operations.
    private const ulong CancelUserData = ulong.MaxValue;
    private const ulong WakeUserData = ulong.MaxValue - 1;

    // Flushes and zeroing block a worker of the kernel each; more of them at once help no disk.
    private const uint DiskWorkers = 32;
    private const uint OtherWorkers = 32;

    // How long Dispose waits for operations that the kernel can't cancel any more.
    private const long DisposeWaitNs = 5_000_000_000;

    private readonly Ring _ring;
    private readonly OperationTable _table = new();
    private readonly Queue<UringOperation> _ready = new();
    private readonly Mailbox _mailbox = new();
    private readonly int _wakeFd;
    private readonly ulong* _wakeCount;

    private Thread? _thread;
    private volatile bool _isStopped;
    private int _isWakeSent;
    private volatile bool _isDisposed;

    /// <summary>Makes a loop.</summary>
    /// <param name="entries">Entries of the submission queue; more operations may be pending.</param>
    /// <exception cref="IOException">There is no io_uring; the message says why and what to do.</exception>
    public UringLoop(int entries = 256)
    {
        _wakeFd = EventFd.eventfd(0, EventFd.EFD_CLOEXEC);
        if (_wakeFd < 0)
        {
            throw LinuxError.Exception("eventfd failed", LinuxError.Last);
        }

        try
        {
            _ring = new Ring((uint)entries, Completions);
        }
        catch
        {
            _ = Unistd.close(_wakeFd);
            throw;
        }

        _wakeCount = (ulong*)NativeMemory.AllocZeroed(sizeof(ulong));
    }

    /// <inheritdoc/>
    public long NowNs => Clock.BootTimeNs;

    /// <inheritdoc/>
    public void Post(Action action)
    {
        _mailbox.Add(action);
        if (Thread.CurrentThread != _thread)
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    /// <remarks>A loop that is not running returns at once from its next Run.</remarks>
    public void Stop()
    {
        _isStopped = true;
        if (Thread.CurrentThread != _thread)
        {
            Wake();
        }
    }

    /// <inheritdoc/>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        BindToThread();
        while (!_isStopped)
        {
            DeliverCompletions();
            DeliverTimers();
            DeliverPosts();
            DeliverReady();
            if (!_isStopped)
            {
                SubmitAndWait();
            }
        }

        _isStopped = false;
    }

    /// <summary>
    /// Frees the ring. Call it on the loop's thread, or after that thread has ended: pending operations are
    /// cancelled or waited for, and never completed towards their users.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        if (_thread == Thread.CurrentThread)
        {
            AbandonPending();
        }

        _isDisposed = true;
        _discards?.Dispose();
        _ring.Dispose();
        _ = Unistd.close(_wakeFd);
        NativeMemory.Free(_wakeCount);
        _zeroes?.Dispose();
    }

    private void BindToThread()
    {
        if (_thread == Thread.CurrentThread)
        {
            return;
        }

        if (_thread is not null)
        {
            throw new InvalidOperationException("A loop runs on one thread only: that of its first Run.");
        }

        _ring.Enable();
        _ring.LimitWorkers(DiskWorkers, OtherWorkers);
        _thread = Thread.CurrentThread;
        EnqueueEntry(WakeUserData, isCancel: false);
    }

    private void Wake()
    {
        // One signal suffices until the loop has seen it.
        if (!_isDisposed && Interlocked.Exchange(ref _isWakeSent, 1) == 0)
        {
            ulong one = 1;
            _ = Unistd.write(_wakeFd, &one, sizeof(ulong));
        }
    }

    private void DeliverCompletions()
    {
        // Only what is there now: a steady stream must not hold up timers and posts.
        for (uint left = _ring.Completed; left > 0 && !_isStopped; left--)
        {
            _ring.TryTakeCompletion(out ulong userData, out int result);
            switch (userData)
            {
                case CancelUserData:
                    break; // The cancelled operation has its own completion.
                case WakeUserData:
                    // Posts are looked at after this; a full fence, so that a post is either seen then or
                    // wakes again.
                    Interlocked.Exchange(ref _isWakeSent, 0);
                    EnqueueEntry(WakeUserData, isCancel: false);
                    break;
                default:
                    Continue(_table.Get(userData), result);
                    break;
            }
        }
    }

    private void DeliverPosts()
    {
        _mailbox.Collect();
        while (!_isStopped && _mailbox.TryTake(out Action? action))
        {
            action();
        }
    }

    private void DeliverReady()
    {
        for (int left = _ready.Count; left > 0 && !_isStopped; left--)
        {
            UringOperation operation = _ready.Dequeue();
            operation.Operation.Complete(operation.LocalResult, isHole: operation.IsHole);
        }
    }

    /// <summary>Completes an operation in a later turn without the kernel.</summary>
    private void CompleteLater(UringOperation operation, int result, bool isHole = false)
    {
        operation.LocalResult = result;
        operation.IsHole = isHole;
        _ready.Enqueue(operation);
    }

    private void SubmitAndWait()
    {
        SubmitBacklog();
        bool isIdle = _ready.Count == 0 && _backlog.Count == 0 && _mailbox.IsEmpty && _ring.Completed == 0;
        long timeoutNs = isIdle ? UntilFirstTimerNs() : 0;
        _ring.SubmitAndReap(wait: timeoutNs != 0, timeoutNs);
    }

    private void AbandonPending()
    {
        _table.ForEach(operation => EnqueueEntry(operation.UserData, isCancel: true));
        long deadlineNs = NowNs + DisposeWaitNs;
        while (_table.Pending > 0 && NowNs < deadlineNs)
        {
            SubmitBacklog();
            _ring.SubmitAndReap(wait: true, DisposeWaitNs / 50);
            while (_ring.TryTakeCompletion(out ulong userData, out int result))
            {
                if (userData < WakeUserData)
                {
                    Abandon(_table.Get(userData), result);
                }
            }
        }
    }

    private void Abandon(UringOperation operation, int result)
    {
        _table.Remove(operation);
        if (operation.Operation.Kind == OperationKind.Accept && result >= 0)
        {
            _ = Unistd.close(result);
        }
        else if (operation.Operation.Kind == OperationKind.Connect)
        {
            _ = Unistd.close(operation.Fd);
            NativeMemory.Free((void*)operation.Address);
        }
    }
}
