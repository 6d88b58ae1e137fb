using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>
/// One volume's copy on a Standby, for reading only: what lies on the disk of this node, past the mirror. There is no way
/// from here to a write.
/// </summary>
internal sealed class StandingCopy(
    ReplicatedResource resource, IIoLoop loop, VolumeOptions options, int index) : IVolumeFrontend
{
    /// <inheritdoc/>
    public string Name => $"{resource.Name}/{options.Name}";

    /// <inheritdoc/>
    public long LengthBytes => resource.ServedBytes(index);

    /// <inheritdoc/>
    public int BlockBytes => options.Data.LogicalBlockBytes;

    /// <inheritdoc/>
    public bool CanTrim => false;

    /// <inheritdoc/>
    public bool IsReadOnly => true;

    /// <inheritdoc/>
    public string? Unavailable => resource.MayReadCopy(resource.CopyOpening) ? null
        : $"the copy of {Name} on this node can't be read any more";

    /// <inheritdoc/>
    public BufferPool Buffers => resource.Buffers;

    /// <inheritdoc/>
    public void Submit(IoRequest request)
    {
        int opening = resource.CopyOpening;
        if (request.Operation != VolumeOperation.Read || !resource.MayReadCopy(opening))
        {
            // A flush has nothing to do here.
            int error = request.Operation == VolumeOperation.Flush ? 0
                : request.Operation == VolumeOperation.Read ? Errno.ESHUTDOWN : Errno.EPERM;
            loop.Post(() => request.Complete(error));
            return;
        }

        loop.Read(options.Data, request.Offset, request.Data, new IoOperation(read => request.Complete(

            // Also of a read that began in time: what it found may be what came after.
            !resource.MayReadCopy(opening) ? Errno.ESHUTDOWN
                : read.Result < 0 ? -read.Result
                : read.Result != request.LengthBytes ? Errno.EIO : 0)));
    }

    /// <inheritdoc/>
    public void QueryAllocation(long offset, long lengthBytes, IoOperation operation)
    {
        if (resource.MayReadCopy(resource.CopyOpening))
        {
            loop.QueryAllocation(options.Data, offset, lengthBytes, operation);
            return;
        }

        operation.Begin(OperationKind.Allocation);
        loop.Post(() => operation.Complete(-Errno.ESHUTDOWN));
    }

    /// <inheritdoc/>
    public void WhenBufferFree(Action resume) => resource.Buffers.WhenReturned(resume);
}
