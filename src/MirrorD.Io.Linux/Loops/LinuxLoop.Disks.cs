using MirrorD.Io.Linux.Disks;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Disk operations.</summary>
public abstract partial class LinuxLoop
{
    /// <inheritdoc/>
    public void Read(IDisk disk, long offset, BufferSlice into, IoOperation operation) =>
        StartTransfer(disk, offset, into, isDurable: false, operation, OperationKind.Read);

    /// <inheritdoc/>
    public void Write(IDisk disk, long offset, BufferSlice from, bool durable, IoOperation operation) =>
        StartTransfer(disk, offset, from, durable, operation, OperationKind.Write);

    /// <inheritdoc/>
    public void Flush(IDisk disk, IoOperation operation)
    {
        LoopOperation started = BeginDisk(disk, operation, OperationKind.Flush);
        StartDisk(started);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Answered inline from the file system's map; room that was never written counts as a hole.
    /// </remarks>
    public void QueryAllocation(IDisk disk, long offset, long lengthBytes, IoOperation operation)
    {
        LoopOperation started = BeginDisk(disk, operation, OperationKind.Allocation);
        int error = Validate(started.Disk!, offset, lengthBytes, mustWrite: false);
        if (error != 0 || lengthBytes == 0)
        {
            CompleteLater(started, error != 0 ? error : -Errno.EINVAL);
            return;
        }

        int result = started.Disk!.QueryAllocation(offset, lengthBytes, out bool isHole);
        CompleteLater(started, result, isHole);
    }

    private static LoopOperation BeginDisk(IDisk disk, IoOperation operation, OperationKind kind)
    {
        var opened = (LinuxDisk)disk;
        operation.Begin(kind);
        LoopOperation started = LoopOperation.Of(operation);
        started.Disk = opened;
        started.Fd = opened.Fd;
        started.Address = 0;
        started.Offset = 0;
        started.LengthBytes = 0;
        started.DoneBytes = 0;
        started.ForceWorker = false;
        return started;
    }

    private static int Validate(LinuxDisk disk, long offset, long lengthBytes, bool mustWrite)
    {
        if (offset < 0 || lengthBytes < 0
            || lengthBytes > disk.LengthBytes || offset > disk.LengthBytes - lengthBytes)
        {
            return -Errno.EINVAL;
        }

        if (((offset | lengthBytes) & (disk.LogicalBlockBytes - 1)) != 0)
        {
            return -Errno.EINVAL;
        }

        return mustWrite && !disk.IsWritable ? -Errno.EPERM : 0;
    }

    private void StartTransfer(
        IDisk disk, long offset, BufferSlice slice, bool isDurable, IoOperation operation, OperationKind kind)
    {
        LoopOperation started = BeginDisk(disk, operation, kind);
        bool mustWrite = kind == OperationKind.Write;
        int error = Validate(started.Disk!, offset, slice.LengthBytes, mustWrite);
        if (error != 0 || slice.LengthBytes == 0)
        {
            CompleteLater(started, error);
            return;
        }

        started.Memory = slice.Buffer?.Memory;
        started.Address = slice.Address;
        started.Offset = offset;
        started.LengthBytes = slice.LengthBytes;
        started.IsDurable = isDurable;
        StartDisk(started);
    }

    private void StartDisk(LoopOperation operation)
    {
        if (operation.Disk!.IsInMemory && operation.Operation.Kind is (OperationKind.Read or OperationKind.Write))
        {
            // The kernel would give it to a thread, as it does with all that goes through its page cache.
            int result = Copy(operation);
            operation.Memory = null;
            CompleteLater(operation, result);
            return;
        }

        operation.Disk.PendingOperations++;
        Start(operation);
    }

    private static int Copy(LoopOperation operation)
    {
        while (operation.DoneBytes < operation.LengthBytes)
        {
            int result = DiskCalls.Perform(operation);
            if (result <= 0 && result != -LinuxError.EINTR)
            {
                return result == 0 ? -Errno.EIO : result;
            }

            operation.DoneBytes += int.Max(result, 0);
        }

        return (int)operation.LengthBytes;
    }

    private protected void FinishDisk(LoopOperation operation, int result)
    {
        Release(operation);
        operation.Disk!.PendingOperations--;
        operation.Memory = null;
        operation.Operation.Complete(result);
    }

    /// <summary>The kernel is done with an operation whose user will not hear of it.</summary>
    private protected static void ForgetDisk(LoopOperation operation)
    {
        if (operation.Operation.Kind is OperationKind.Read or OperationKind.Write or OperationKind.Flush
            or OperationKind.Discard or OperationKind.Zero)
        {
            operation.Disk!.PendingOperations--;
            operation.Memory = null;
        }
    }

    private void ContinueTransfer(LoopOperation operation, int result)
    {
        if (result > 0)
        {
            operation.DoneBytes += result;
            if (operation.DoneBytes == operation.LengthBytes)
            {
                FinishDisk(operation, (int)operation.LengthBytes);
            }
            else if (operation.DoneBytes % operation.Disk!.LogicalBlockBytes == 0)
            {
                Restart(operation);
            }
            else
            {
                FinishDisk(operation, -Errno.EIO); // Direct I/O ends inside a block only where the file ends.
            }
        }
        else if (result is -Errno.EAGAIN or -LinuxError.EINTR)
        {
            operation.ForceWorker = result == -Errno.EAGAIN;
            Restart(operation);
        }
        else
        {
            // Nothing at all inside the known length: the disk shrank under us.
            FinishDisk(operation, result == 0 ? -Errno.EIO : result);
        }
    }

    private void ContinueFlush(LoopOperation operation, int result)
    {
        if (result is -LinuxError.EINTR or -Errno.EAGAIN)
        {
            Restart(operation);
        }
        else
        {
            FinishDisk(operation, result);
        }
    }
}
