using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Discarding and zeroing, with what is tried when the first way is not supported.</summary>
public abstract partial class LinuxLoop
{
    /// <summary>How many zeroes one write has at most.</summary>
    internal const int ZeroesBytes = 256 * 1024;

    // Source of zeroes for disks and file systems that can't make them; nobody writes to it.
    private IoBuffer? _zeroes;

    /// <inheritdoc/>
    public void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        LoopOperation started = BeginDisk(disk, operation, OperationKind.Discard);
        started.MayUnmap = true;
        StartZeroing(started, offset, lengthBytes, disk.CanDiscard ? 0 : -Errno.EOPNOTSUPP);
    }

    /// <inheritdoc/>
    public void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation)
    {
        LoopOperation started = BeginDisk(disk, operation, OperationKind.Zero);
        started.MayUnmap = mayUnmap;
        StartZeroing(started, offset, lengthBytes, 0);
    }

    private void StartZeroing(LoopOperation operation, long offset, long lengthBytes, int error)
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
        StartDisk(operation);
    }

    private void ContinueZeroing(LoopOperation operation, int result)
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
            if (operation.Step == ZeroStep.WriteZeroes)
            {
                _zeroes ??= new IoBuffer(ZeroesBytes);
                operation.Memory = _zeroes.Memory;
                operation.Address = _zeroes.Address;
            }

            Restart(operation);
        }
        else
        {
            FinishDisk(operation, result);
        }
    }

    private void ContinueDiscard(LoopOperation operation, int result)
    {
        if (result is -LinuxError.EINTR or -Errno.EAGAIN)
        {
            Restart(operation);
        }
        else if (result == -Errno.EOPNOTSUPP && operation.Disk!.IsBlockDevice)
        {
            operation.Disk.DiscardsByIoctl = true;
            Restart(operation);
        }
        else
        {
            FinishDisk(operation, result);
        }
    }
}
