using System.Runtime.InteropServices;
using MirrorD.Io.Linux.Epoll;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Disk operations go to the disk's workers; what is left of a loop at its end.</summary>
public sealed unsafe partial class EpollLoop
{
    // Operations that workers have, or that they have answered.
    private int _withWorkers;

    private void StartDisk(LoopOperation operation)
    {
        if (operation.Disk!.Workers is null && !HasWorkers(operation.Disk))
        {
            Answered(operation, -Errno.ENOMEM);
            return;
        }

        if (operation.Owner is null)
        {
            _withWorkers++;
        }

        operation.Owner = this;
        operation.Disk.Workers!.Start(operation);
    }

    /// <summary>Starts the threads of a disk; false when this process gets no more of them.</summary>
    private static bool HasWorkers(LinuxDisk disk)
    {
        try
        {
            disk.Workers = new DiskWorkers();
            return true;
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
    }

    private protected override void Release(LoopOperation operation)
    {
        if (operation.Owner is not null)
        {
            operation.Owner = null;
            _withWorkers--;
        }
    }

    private protected override bool AbandonPending(bool isOnOwnThread)
    {
        foreach (LoopSocket socket in _sockets.All)
        {
            if (socket.Sending?.Operation.Kind == OperationKind.Connect)
            {
                _ = Unistd.close(socket.Fd);
                NativeMemory.Free((void*)socket.Sending.Address);
            }
        }

        long deadlineNs = NowNs + DisposeWaitNs;
        while (true)
        {
            Interlocked.Exchange(ref _isAsleep, 1);
            _byWorkers.MoveTo(_answered);
            while (_answered.TryDequeue(out LoopOperation? operation))
            {
                Abandon(operation);
            }

            int leftMs = (int)((deadlineNs - NowNs) / 1_000_000);
            if (_withWorkers == 0)
            {
                // Their descriptor must not come to mean another file before they have written to it.
                SpinWait.SpinUntil(() => Volatile.Read(ref _answering) == 0);
                return true;
            }

            if (leftMs <= 0)
            {
                return false;
            }

            _ = _events.Wait(_set, leftMs);
        }
    }

    private void Abandon(LoopOperation operation)
    {
        if (operation.Owner is not null)
        {
            Release(operation);
            ForgetDisk(operation);
        }
        else if (operation.Operation.Kind == OperationKind.Accept && operation.KernelResult >= 0)
        {
            _ = Unistd.close(operation.KernelResult);
        }
    }
}
