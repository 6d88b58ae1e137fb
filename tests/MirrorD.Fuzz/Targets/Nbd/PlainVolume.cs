using MirrorD.Core.Volumes;
using MirrorD.Engine;
using MirrorD.Fuzz.Running;
using MirrorD.Io;

namespace MirrorD.Fuzz.Targets.Nbd;

/// <summary>
/// A simulated disk as a volume, which checks the form of each request that reaches it. From 3 MiB on each of 16 blocks of 4
/// KiB fails with an error of its own; from 2 MiB on it is not known for 16 blocks what is allocated.
/// </summary>
internal sealed class PlainVolume(IIoLoop loop, IDisk disk, BufferPool buffers, string name) : IVolumeFrontend
{
    private const long FailingAt = 3 << 20;
    private const long UnknownAt = 2 << 20;
    private const long SpecialBytes = 16 * 4096;

    private static readonly int[] s_errors =
    [
        Errno.EIO, Errno.EPERM, Errno.EACCES, Errno.ENOMEM, Errno.EINVAL, Errno.ENOSPC, Errno.EOVERFLOW, Errno.EOPNOTSUPP,
        Errno.ESHUTDOWN,
    ];

    public string Name => name;

    public long LengthBytes => disk.LengthBytes;

    public int BlockBytes => disk.LogicalBlockBytes;

    public bool CanTrim => true;

    public bool IsReadOnly { get; init; }

    public string? Unavailable { get; init; }

    public BufferPool Buffers => buffers;

    /// <summary>Requests that are not completed.</summary>
    public int InFlight { get; private set; }

    public void Submit(IoRequest request)
    {
        bool hasData = request.Operation is VolumeOperation.Read or VolumeOperation.Write;
        BrokenProperty.Unless(request.Offset >= 0 && request.Offset <= LengthBytes - request.LengthBytes,
            "a request lies inside the volume");
        BrokenProperty.Unless(
            request.Offset % BlockBytes == 0 && request.LengthBytes % BlockBytes == 0, "a request is made of whole blocks");
        BrokenProperty.Unless(request.Operation == VolumeOperation.Flush == (request.LengthBytes == 0),
            "only a flush has no range");
        BrokenProperty.Unless(request.Data.LengthBytes == (hasData ? request.LengthBytes : 0),
            "data is as long as its range");
        BrokenProperty.Unless(!IsReadOnly || !request.IsMutation, "nothing changes what is read only");
        InFlight++;
        var done = new IoOperation(operation =>
        {
            InFlight--;
            request.Complete(Math.Max(0, -operation.Result));
        });
        if (IsIn(FailingAt, request.Offset))
        {
            Fail(done, OperationKind.Read, -s_errors[(request.Offset - FailingAt) / 4096 % s_errors.Length]);
            return;
        }

        switch (request.Operation)
        {
            case VolumeOperation.Read:
                loop.Read(disk, request.Offset, request.Data, done);
                break;
            case VolumeOperation.Write:
                loop.Write(disk, request.Offset, request.Data, request.ForceUnitAccess, done);
                break;
            case VolumeOperation.Zero:
                loop.Zero(disk, request.Offset, request.LengthBytes, request.MayUnmap, done);
                break;
            case VolumeOperation.Discard:
                loop.Discard(disk, request.Offset, request.LengthBytes, done);
                break;
            case VolumeOperation.Flush:
                loop.Flush(disk, done);
                break;
            default:
                throw new BrokenProperty("a request is of a known kind");
        }
    }

    public void QueryAllocation(long offset, long lengthBytes, IoOperation operation)
    {
        BrokenProperty.Unless(
            offset >= 0 && lengthBytes > 0 && offset <= LengthBytes - lengthBytes,
                "what is asked about lies inside the volume");
        if (IsIn(UnknownAt, offset) || IsIn(FailingAt, offset))
        {
            Fail(operation, OperationKind.Allocation, IsIn(UnknownAt, offset) ? -Errno.EOPNOTSUPP : -Errno.EIO);
            return;
        }

        loop.QueryAllocation(disk, offset, lengthBytes, operation);
    }

    public void WhenBufferFree(Action resume) => buffers.WhenReturned(resume);

    private static bool IsIn(long place, long offset) => offset >= place && offset < place + SpecialBytes;

    private void Fail(IoOperation operation, OperationKind kind, int result)
    {
        operation.Begin(kind);
        loop.Post(() => operation.Complete(result));
    }
}
