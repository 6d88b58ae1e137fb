using MirrorD.Io.Linux.Disks;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;
using static MirrorD.Io.Linux.Interop.IoUring;

namespace MirrorD.Io.Linux;

/// <summary>Entries of discards and zeroing, and discards that io_uring does not carry.</summary>
public sealed unsafe partial class UringLoop
{
    private DiscardThread? _discards;

    private static bool IsForDiscardThread(LoopOperation operation) =>
        operation.Operation.Kind == OperationKind.Discard && operation.Disk!.DiscardsByIoctl;

    private void WriteZeroing(io_uring_sqe* entry, LoopOperation operation)
    {
        entry->off = (ulong)(operation.Offset + operation.DoneBytes);
        if (operation.Step == ZeroStep.WriteZeroes)
        {
            entry->opcode = IORING_OP_WRITE;
            entry->addr = (ulong)operation.Address;
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

    private void DiscardByIoctl(LoopOperation operation)
    {
        operation.Ended ??= () => FinishDisk(operation, operation.LocalResult);
        _discards ??= new DiscardThread((ended, result) =>
        {
            ended.LocalResult = result;
            Post(ended.Ended!);
        });
        _discards.Start(operation);
    }
}
