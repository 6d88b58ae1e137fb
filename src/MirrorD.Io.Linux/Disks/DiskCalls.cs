using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux.Disks;

/// <summary>The system call that a disk operation, or the rest of one, is.</summary>
internal static unsafe class DiskCalls
{
    /// <summary>Blocks until it is done. Bytes or 0, or a negative errno.</summary>
    public static int Perform(LoopOperation operation)
    {
        nint result = operation.Operation.Kind switch
        {
            OperationKind.Read => Unistd.pread(operation.Fd, Memory(operation), Left(operation), Offset(operation)),
            OperationKind.Write when operation.IsDurable => WriteDurably(operation),
            OperationKind.Write => Unistd.pwrite(operation.Fd, Memory(operation), Left(operation), Offset(operation)),
            OperationKind.Flush => Unistd.fdatasync(operation.Fd),
            OperationKind.Discard when operation.Disk!.DiscardsByIoctl => DiscardByIoctl(operation),
            OperationKind.Discard or OperationKind.Zero => Zero(operation),
            _ => throw new InvalidOperationException($"{operation.Operation.Kind} is not of a disk."),
        };
        return result >= 0 ? (int)result : -LinuxError.Last;
    }

    private static void* Memory(LoopOperation operation) => (void*)(operation.Address + operation.DoneBytes);

    private static nuint Left(LoopOperation operation) => (nuint)(operation.LengthBytes - operation.DoneBytes);

    private static long Offset(LoopOperation operation) => operation.Offset + operation.DoneBytes;

    private static nint WriteDurably(LoopOperation operation)
    {
        var piece = new iovec { iov_base = (nint)Memory(operation), iov_len = Left(operation) };
        return Uio.pwritev2(operation.Fd, &piece, 1, Offset(operation), Fs.RWF_DSYNC);
    }

    private static int DiscardByIoctl(LoopOperation operation)
    {
        ulong* range = stackalloc ulong[2] { (ulong)operation.Offset, (ulong)operation.LengthBytes };
        return Fs.ioctl(operation.Fd, Fs.BLKDISCARD, range);
    }

    private static nint Zero(LoopOperation operation)
    {
        if (operation.Step == ZeroStep.WriteZeroes)
        {
            nuint length = nuint.Min(LinuxLoop.ZeroesBytes, Left(operation));
            return Unistd.pwrite(operation.Fd, (void*)operation.Address, length, Offset(operation));
        }

        int mode = operation.Step == ZeroStep.Punch ? Falloc.FALLOC_FL_PUNCH_HOLE : Falloc.FALLOC_FL_ZERO_RANGE;
        return Fcntl.fallocate(operation.Fd, Falloc.FALLOC_FL_KEEP_SIZE | mode, operation.Offset, operation.LengthBytes);
    }
}
