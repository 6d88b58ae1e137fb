using MirrorD.Io.Linux.Disks;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Uring;
using static MirrorD.Io.Linux.Interop.IoUring;

namespace MirrorD.Io.Linux;

/// <summary>Discarding and zeroing, with what is tried when the first way is not supported.</summary>
public sealed unsafe partial class UringLoop
{
    private const int ZeroesBytes = 256 * 1024;

    // Source of zeroes for disks and file systems that can't make them; nobody writes to it.
    private IoBuffer? _zeroes;

    private DiscardThread? _discards;

    /// <inheritdoc/>
    public void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        UringOperation started = BeginDisk(disk, operation, OperationKind.Discard);
        started.MayUnmap = true;
        StartZeroing(started, offset, lengthBytes, disk.CanDiscard ? 0 : -Errno.EOPNOTSUPP);
    }

    /// <inheritdoc/>
    public void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation)
    {
        UringOperation started = BeginDisk(disk, operation, OperationKind.Zero);
        started.MayUnmap = mayUnmap;
        StartZeroing(started, offset, lengthBytes, 0);
    }

    private void StartZeroing(UringOperation operation, long offset, long lengthBytes, int error)
    {
        int invalid = Validate(operation.Disk!, offset, lengthBytes, mustWrite: true);
        if (invalid != 0 || error != 0 || lengthBytes == 0)
        {
            CompleteLater(operation, invalid != 0 ? invalid : error);
            return;
        }

        operation.Offset = offset;
        operation.LengthBytes = lengthBytes;
        operation.Step = operation.MayUnmap ? ZeroStep.Punch : ZeroStep.ZeroRange;
        if (operation.Operation.Kind == OperationKind.Discard && operation.Disk!.DiscardsByIoctl)
        {
            operation.Disk.PendingOperations++;
            DiscardByIoctl(operation);
            return;
        }

        StartDisk(operation);
    }

    private void WriteZeroing(io_uring_sqe* entry, UringOperation operation)
    {
        entry->off = (ulong)(operation.Offset + operation.DoneBytes);
        if (operation.Step == ZeroStep.WriteZeroes)
        {
            _zeroes ??= new IoBuffer(ZeroesBytes);
            entry->opcode = IORING_OP_WRITE;
            entry->addr = (ulong)_zeroes.Address;
            entry->len = (uint)long.Min(ZeroesBytes, operation.LengthBytes - operation.DoneBytes);
            return;
        }

        // The kernel takes the length of the range from the address field and the mode from the length field.
        entry->opcode = IORING_OP_FALLOCATE;
        entry->addr = (ulong)operation.LengthBytes;
        bool mustPunch = operation.Step == ZeroStep.Punch;
        entry->len = Falloc.FALLOC_FL_KEEP_SIZE |
            (uint)(mustPunch ? Falloc.FALLOC_FL_PUNCH_HOLE : Falloc.FALLOC_FL_ZERO_RANGE);
    }

    private void ContinueZeroing(UringOperation operation, int result)
    {
        if (result is -LinuxError.EINTR or -Errno.EAGAIN)
        {
            Restart(operation);
        }
        else if (operation.Step == ZeroStep.WriteZeroes)
        {
            operation.DoneBytes += int.Max(result, 0);
            if (result > 0 && operation.DoneBytes < operation.LengthBytes)
            {
                Restart(operation);
            }
            else
            {
                FinishDisk(operation, result > 0 ? 0 : result == 0 ? -Errno.EIO : result);
            }
        }
        else if (result is -Errno.EOPNOTSUPP or -LinuxError.ENOSYS or -LinuxError.ENODEV)
        {
            operation.Step++;
            Restart(operation);
        }
        else
        {
            FinishDisk(operation, result);
        }
    }

    private void ContinueDiscard(UringOperation operation, int result)
    {
        if (result is -LinuxError.EINTR or -Errno.EAGAIN)
        {
            Restart(operation);
        }
        else if (result == -Errno.EOPNOTSUPP && operation.Disk!.IsBlockDevice)
        {
            operation.Disk.DiscardsByIoctl = true;
            _table.Remove(operation);
            DiscardByIoctl(operation);
        }
        else
        {
            FinishDisk(operation, result);
        }
    }

    private void DiscardByIoctl(UringOperation operation)
    {
        operation.Ended ??= () =>
        {
            operation.Disk!.PendingOperations--;
            operation.Operation.Complete(operation.LocalResult);
        };
        _discards ??= new DiscardThread((ended, result) =>
        {
            ended.LocalResult = result;
            Post(ended.Ended!);
        });
        _discards.Start(operation);
    }
}
