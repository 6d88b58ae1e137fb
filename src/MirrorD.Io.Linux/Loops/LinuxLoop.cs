using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>
/// What the loops of Linux share: turns, posts, timers, what is refused before the kernel sees it, and how an operation goes
/// on after each answer of the kernel. A subclass has one facility of the kernel carry the operations out. Made on any
/// thread; the first <see cref="Run"/> binds it to its thread. Operations submitted before that wait for it. See
/// docs/internals/io-loop.md.
/// </summary>
public abstract unsafe partial class LinuxLoop : IIoLoop, IDisposable
{
    /// <summary>How long Dispose waits for operations that can't be cancelled any more.</summary>
    private protected const long DisposeWaitNs = 5_000_000_000;

    private readonly Queue<LoopOperation> _ready = new();
    private readonly Mailbox _mailbox = new();

    private Thread? _thread;
    private volatile bool _isStopped;
    private volatile bool _isDisposed;

    private protected LinuxLoop(int wakeFlags)
    {
        WakeFd = EventFd.eventfd(0, EventFd.EFD_CLOEXEC | wakeFlags);
        if (WakeFd < 0)
        {
            throw LinuxError.Exception("eventfd failed", LinuxError.Last);
        }
    }

    /// <inheritdoc/>
    public long NowNs => Clock.BootTimeNs;

    /// <summary>An eventfd; each write to it ends a wait of the loop.</summary>
    private protected int WakeFd { get; }

    private protected bool IsDisposed => _isDisposed;

    private protected bool IsStopped => _isStopped;

    private protected bool IsBound => _thread is not null;

    /// <summary>From the loop's thread: nothing is to be done before the kernel or another thread says so.</summary>
    private protected bool IsIdle => _ready.Count == 0 && _mailbox.IsEmpty;

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
                Wait();
            }
        }

        _isStopped = false;
    }

    /// <summary>
    /// Frees what the kernel holds for the loop. Call it on the loop's thread, or after that thread has ended: pending
    /// operations are cancelled or waited for, and never completed towards their users.
    /// </summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        bool mayFree = AbandonPending(_thread == Thread.CurrentThread);
        _isDisposed = true;
        Free(mayFree);
        if (mayFree)
        {
            _ = Unistd.close(WakeFd);
            _zeroes?.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>The first Run is about to begin, on this thread.</summary>
    private protected virtual void Bind()
    {
    }

    /// <summary>Hands an operation over. It is continued in a later turn.</summary>
    private protected abstract void Start(LoopOperation operation);

    /// <summary>Hands an operation over again for the rest of it.</summary>
    private protected abstract void Restart(LoopOperation operation);

    /// <summary>Has a started operation end soon; it is continued with its own result or -ECANCELED.</summary>
    private protected abstract void Cancel(LoopOperation operation);

    /// <summary>The operation is not in the kernel any more and is about to be completed.</summary>
    private protected virtual void Release(LoopOperation operation)
    {
    }

    /// <summary>Continues what the kernel has answered until now.</summary>
    private protected abstract void DeliverCompletions();

    /// <summary>
    /// Asks the kernel for answers; waits for the first one, or for the first timer, when there is nothing else to do.
    /// </summary>
    private protected abstract void Wait();

    /// <summary>From any thread: ends a wait, or keeps the next one from beginning.</summary>
    private protected abstract void Wake();

    /// <summary>Ends what is pending; false when the kernel still uses memory or descriptors of an operation.</summary>
    private protected abstract bool AbandonPending(bool isOnOwnThread);

    /// <summary>Frees what the subclass holds; not what is still in use, as told.</summary>
    private protected abstract void Free(bool isUnused);

    /// <summary>Prepares a new socket. Returns 0 or a negative errno.</summary>
    private protected virtual int Register(LoopSocket socket) => 0;

    /// <summary>Closes the descriptor of a socket; nothing is pending on it.</summary>
    private protected virtual void CloseDescriptor(LoopSocket socket) => _ = Unistd.close(socket.Fd);

    /// <summary>Ends a wait by the eventfd.</summary>
    private protected void SignalWake()
    {
        ulong one = 1;
        _ = Unistd.write(WakeFd, &one, sizeof(ulong));
    }

    /// <summary>Completes an operation in a later turn without the kernel.</summary>
    private void CompleteLater(LoopOperation operation, int result, bool isHole = false)
    {
        operation.LocalResult = result;
        operation.IsHole = isHole;
        _ready.Enqueue(operation);
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

        Bind();
        _thread = Thread.CurrentThread;
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
            LoopOperation operation = _ready.Dequeue();
            if (operation.HasLeft)
            {
                operation.HasLeft = false;
                Detach(operation);
            }

            operation.Operation.Complete(operation.LocalResult, isHole: operation.IsHole);
        }
    }

    /// <summary>An operation goes on after an answer of the kernel.</summary>
    /// <param name="operation">Is started.</param>
    /// <param name="result">As of a system call of the kernel: not negative, or a negative errno.</param>
    private protected void Continue(LoopOperation operation, int result)
    {
        switch (operation.Operation.Kind)
        {
            case OperationKind.Read:
            case OperationKind.Write:
                ContinueTransfer(operation, result);
                break;
            case OperationKind.Flush:
                ContinueFlush(operation, result);
                break;
            case OperationKind.Discard:
                ContinueDiscard(operation, result);
                break;
            case OperationKind.Zero:
                ContinueZeroing(operation, result);
                break;
            case OperationKind.Receive:
                ContinueReceive(operation, result);
                break;
            case OperationKind.Send:
                ContinueSend(operation, result);
                break;
            case OperationKind.ReceiveDatagram:
            case OperationKind.SendDatagram:
                ContinueDatagram(operation, result);
                break;
            case OperationKind.Accept:
                ContinueAccept(operation, result);
                break;
            case OperationKind.Connect:
                ContinueConnect(operation, result);
                break;
            case OperationKind.None:
            case OperationKind.Allocation:
            case OperationKind.Timer:
                throw new InvalidOperationException($"{operation.Operation.Kind} is not for the kernel.");
        }
    }
}
