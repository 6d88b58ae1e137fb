using MirrorD.Engine.Control;
using MirrorD.Engine.Latency;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>One volume of a replicated resource, as its clients see it.</summary>
internal sealed class MirroredVolume(
    ReplicatedResource resource, IIoLoop loop, VolumeOptions options, int index) : IVolumeFrontend
{
    /// <inheritdoc/>
    public string Name => $"{resource.Name}/{options.Name}";

    /// <inheritdoc/>
    public long LengthBytes => resource.ServedBytes(index);

    /// <inheritdoc/>
    public int BlockBytes => options.Data.LogicalBlockBytes;

    /// <inheritdoc/>
    public bool CanTrim => options.Data.UnmapsZeroes;

    /// <inheritdoc/>
    public string? Unavailable => resource.DescribeUnavailable();

    /// <inheritdoc/>
    public BufferPool Buffers => resource.Buffers;

    /// <inheritdoc/>
    public VolumeLoad Load => resource.Loads[index];

    /// <summary>Completed reads.</summary>
    public long Reads { get; set; }

    /// <summary>Completed mutations.</summary>
    public long Writes { get; set; }

    /// <inheritdoc/>
    public void Submit(IoRequest request)
    {
        request.Volume = index;
        resource.Submit(request);
    }

    /// <inheritdoc/>
    public void QueryAllocation(long offset, long lengthBytes, IoOperation operation)
    {
        if (resource.HasDisk)
        {
            loop.QueryAllocation(options.Data, offset, lengthBytes, operation);
            return;
        }

        // What the peer's disk has as holes is not asked: data is always a right answer.
        operation.Begin(OperationKind.Allocation);
        loop.Post(() => operation.Complete((int)Math.Min(lengthBytes, 1 << 30)));
    }

    /// <inheritdoc/>
    public void WhenBufferFree(Action resume) => resource.Buffers.WhenReturned(resume);
}
