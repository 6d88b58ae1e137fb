using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;
using MirrorD.Io.Linux.Uring;

namespace MirrorD.Io.Linux;

/// <summary>The loop on io_uring.</summary>
public sealed unsafe partial class UringLoop : LinuxLoop
{
    private const uint Completions = 4096;

    // User data of entries that are not in the table of operations.
    private const ulong CancelUserData = ulong.MaxValue;
    private const ulong WakeUserData = ulong.MaxValue - 1;

    // Flushes and zeroing block a worker of the kernel each; more of them at once help no disk.
    private const uint DiskWorkers = 32;
    private const uint OtherWorkers = 32;

    private readonly Ring _ring;
    private readonly OperationTable _table = new();
    private readonly ulong* _wakeCount;
    private int _isWakeSent;

    /// <summary>Makes a loop.</summary>
    /// <param name="entries">Entries of the submission queue; more operations may be pending.</param>
    /// <exception cref="IOException">There is no io_uring; the message says why and what to do.</exception>
    public UringLoop(int entries = 256)
        : base(wakeFlags: 0)
    {
        try
        {
            _ring = new Ring((uint)entries, Completions);
        }
        catch
        {
            _ = Unistd.close(WakeFd);
            throw;
        }

        _wakeCount = (ulong*)NativeMemory.AllocZeroed(sizeof(ulong));
    }

    private protected override void Bind()
    {
        _ring.Enable();
        _ring.LimitWorkers(DiskWorkers, OtherWorkers);
        EnqueueEntry(WakeUserData, isCancel: false);
    }

    private protected override void Wake()
    {
        // One signal suffices until the loop has seen it.
        if (!IsDisposed && Interlocked.Exchange(ref _isWakeSent, 1) == 0)
        {
            SignalWake();
        }
    }

    private protected override void DeliverCompletions()
    {
        // Only what is there now: a steady stream must not hold up timers and posts.
        for (uint left = _ring.Completed; left > 0 && !IsStopped; left--)
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

    private protected override void Wait()
    {
        SubmitBacklog();
        bool isIdle = IsIdle && _backlog.Count == 0 && _ring.Completed == 0;

        // 0: due, or overdue; -1: there is no timer.
        long timeoutNs = !isIdle ? 0 : FirstDeadlineNs is { } deadlineNs ? long.Max(0, deadlineNs - NowNs) : -1;
        _ring.SubmitAndReap(wait: timeoutNs != 0, timeoutNs);
    }

    private protected override bool AbandonPending(bool isOnOwnThread)
    {
        if (!isOnOwnThread)
        {
            return true;
        }

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

        return true;
    }

    private protected override void Free(bool isUnused)
    {
        _discards?.Dispose();
        _ring.Dispose();
        NativeMemory.Free(_wakeCount);
    }

    private void Abandon(LoopOperation operation, int result)
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

        ForgetDisk(operation);
    }
}
