using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;
using MirrorD.Io.Linux.Uring;
using static MirrorD.Io.Linux.Interop.IoUring;

namespace MirrorD.Io.Linux;

/// <summary>How operations become entries of the submission queue, and completions become results.</summary>
public sealed unsafe partial class UringLoop
{
    // A whole burst submitted at once drains a disk's queue in lock-step with the loop; groups keep it fed. Each of them
    // rings the disk's doorbell, an exit from a virtual machine: in groups of 4, 32 writes at once were 5 % fewer.
    private const uint EntriesPerGroup = 16;

    // Entries that found the queue full (or the loop not yet running), in their order.
    private readonly Queue<(ulong UserData, bool IsCancel)> _backlog = new();

    private protected override void Start(LoopOperation operation)
    {
        if (IsForDiscardThread(operation))
        {
            DiscardByIoctl(operation);
            return;
        }

        _table.Add(operation);
        EnqueueEntry(operation.UserData, isCancel: false);
    }

    private protected override void Restart(LoopOperation operation)
    {
        if (IsForDiscardThread(operation))
        {
            _table.Remove(operation);
            DiscardByIoctl(operation);
            return;
        }

        EnqueueEntry(operation.UserData, isCancel: false);
    }

    private protected override void Cancel(LoopOperation operation) => EnqueueEntry(operation.UserData, isCancel: true);

    private protected override void Release(LoopOperation operation)
    {
        if (operation.Index >= 0)
        {
            _table.Remove(operation);
        }
    }

    private void EnqueueEntry(ulong userData, bool isCancel)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_backlog.Count > 0 || !TryWriteEntry(userData, isCancel))
        {
            _backlog.Enqueue((userData, isCancel));
        }
    }

    private void SubmitBacklog()
    {
        while (_backlog.TryPeek(out (ulong UserData, bool IsCancel) next)
            && TryWriteEntry(next.UserData, next.IsCancel))
        {
            _backlog.Dequeue();
        }
    }

    private bool TryWriteEntry(ulong userData, bool isCancel)
    {
        io_uring_sqe* entry = _ring.TryTakeEntry();
        if (entry == null)
        {
            return false;
        }

        if (isCancel)
        {
            entry->opcode = IORING_OP_ASYNC_CANCEL;
            entry->addr = userData;
            entry->user_data = CancelUserData;
        }
        else if (userData == WakeUserData)
        {
            entry->opcode = IORING_OP_READ;
            entry->fd = WakeFd;
            entry->addr = (ulong)_wakeCount;
            entry->len = sizeof(ulong);
            entry->user_data = WakeUserData;
        }
        else
        {
            WriteEntry(entry, _table.Get(userData));
        }

        if (IsBound && _ring.Unsubmitted >= EntriesPerGroup)
        {
            _ring.Submit();
        }

        return true;
    }

    private void WriteEntry(io_uring_sqe* entry, LoopOperation operation)
    {
        entry->user_data = operation.UserData;
        entry->fd = operation.Fd;
        switch (operation.Operation.Kind)
        {
            case OperationKind.Read:
                WriteTransfer(entry, operation, IORING_OP_READ);
                break;
            case OperationKind.Write:
                WriteTransfer(entry, operation, IORING_OP_WRITE);
                entry->rw_flags = operation.IsDurable ? (uint)Fs.RWF_DSYNC : 0;
                break;
            case OperationKind.Flush:
                entry->opcode = IORING_OP_FSYNC;
                entry->rw_flags = IORING_FSYNC_DATASYNC;
                break;
            case OperationKind.Discard:
            case OperationKind.Zero:
                WriteZeroing(entry, operation);
                break;
            case OperationKind.Receive:
                WriteTransfer(entry, operation, IORING_OP_RECV);
                entry->off = 0;
                bool mustFill = operation.MinimumBytes == operation.LengthBytes;
                entry->rw_flags = mustFill ? (uint)Socket.MSG_WAITALL : 0;
                break;
            case OperationKind.Send:
                WriteTransfer(entry, operation, IORING_OP_SEND);
                entry->off = 0;
                entry->rw_flags = Socket.MSG_NOSIGNAL | Socket.MSG_WAITALL;
                break;
            case OperationKind.ReceiveDatagram:
                WriteTransfer(entry, operation, IORING_OP_RECV);
                break;
            case OperationKind.SendDatagram:
                WriteTransfer(entry, operation, IORING_OP_SEND);
                entry->rw_flags = Socket.MSG_NOSIGNAL;
                break;
            case OperationKind.Accept:
                entry->opcode = IORING_OP_ACCEPT;
                entry->rw_flags = Socket.SOCK_CLOEXEC;
                break;
            case OperationKind.Connect:
                entry->opcode = IORING_OP_CONNECT;
                entry->addr = (ulong)operation.Address;
                entry->off = operation.AddressBytes;
                break;
            case OperationKind.None:
            case OperationKind.Allocation:
            case OperationKind.Timer:
                throw new InvalidOperationException($"{operation.Operation.Kind} is not for the kernel.");
        }
    }

    private static void WriteTransfer(io_uring_sqe* entry, LoopOperation operation, byte opcode)
    {
        entry->opcode = opcode;
        entry->flags = operation.ForceWorker ? IOSQE_ASYNC : (byte)0;
        entry->addr = (ulong)(operation.Address + operation.DoneBytes);
        entry->len = (uint)(operation.LengthBytes - operation.DoneBytes);
        entry->off = (ulong)(operation.Offset + operation.DoneBytes);
    }
}
