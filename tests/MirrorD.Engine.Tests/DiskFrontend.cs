using MirrorD.Core.Volumes;
using MirrorD.Engine.Latency;
using MirrorD.Io;

namespace MirrorD.Engine.Tests;

/// <summary>
/// A bare disk as a volume, for tests of what stands before a volume. Requests can be held back, refused, and
/// counted.
/// </summary>
public sealed class DiskFrontend(IIoLoop loop, IDisk disk, BufferPool buffers, string name) : IVolumeFrontend
{
    private readonly Stack<Work> _free = new();
    private readonly Queue<IoRequest> _held = new();
    private readonly HashSet<IoBuffer> _slotsInUse = [];

    public string Name => name;

    public long LengthBytes => disk.LengthBytes;

    public int BlockBytes => disk.LogicalBlockBytes;

    public bool CanTrim { get; set; } = true;

    public bool IsReadOnly { get; set; }

    public string? Unavailable { get; set; }

    public BufferPool Buffers => buffers;

    public VolumeLoad Load { get; } = new(name);

    /// <summary>
    /// Requests that are submitted wait until this is false again (see <see cref="Release"/>).
    /// </summary>
    public bool Holds { get; set; }

    /// <summary>Asked for each request when it is submitted; a positive errno refuses it.</summary>
    public Func<IoRequest, int>? Refuses { get; set; }

    /// <summary>Told of each request when it is submitted.</summary>
    public Action<IoRequest>? Submitted { get; set; }

    /// <summary>Checks every request against the interface's rules; off to measure allocation.</summary>
    public bool Checks { get; set; } = true;

    /// <summary>Requests submitted and not completed.</summary>
    public int InFlight { get; private set; }

    /// <summary>The most that <see cref="InFlight"/> ever was.</summary>
    public int MostInFlight { get; private set; }

    public void Submit(IoRequest request)
    {
        InFlight++;
        MostInFlight = Math.Max(MostInFlight, InFlight);
        if (Checks)
        {
            CheckForm(request);
        }

        Submitted?.Invoke(request);
        if (Holds)
        {
            _held.Enqueue(request);
            return;
        }

        Begin(request);
    }

    public void QueryAllocation(long offset, long lengthBytes, IoOperation operation) =>
        loop.QueryAllocation(disk, offset, lengthBytes, operation);

    public void WhenBufferFree(Action resume) => buffers.WhenReturned(resume);

    /// <summary>Lets the held requests, and those to come, go on.</summary>
    public void Release()
    {
        Holds = false;
        while (_held.TryDequeue(out IoRequest? request))
        {
            Begin(request);
        }
    }

    /// <summary>The rules of <see cref="IoRequest"/>, checked from the other side.</summary>
    private void CheckForm(IoRequest request)
    {
        bool data = request.Operation is VolumeOperation.Read or VolumeOperation.Write;
        Assert.Equal(data ? request.LengthBytes : 0, request.Data.LengthBytes);
        Assert.InRange(request.Offset, 0, LengthBytes - request.LengthBytes);
        Assert.Equal(0, request.Offset % BlockBytes);
        Assert.Equal(0, request.LengthBytes % BlockBytes);
        Assert.Equal(request.Operation == VolumeOperation.Flush, request.LengthBytes == 0);
        if (data)
        {
            Assert.Equal(BufferPool.HeadroomBytes, request.Data.OffsetBytes);
            Assert.True(_slotsInUse.Add(request.Data.Buffer!), "two requests in one slot");
        }
    }

    private void Begin(IoRequest request)
    {
        Work work = _free.TryPop(out Work? used) ? used : new Work(this);
        work.Request = request;
        int refusal = Refuses?.Invoke(request) ?? 0;
        if (refusal != 0)
        {
            work.Error = refusal;
            loop.StartTimer(loop.NowNs, work.Operation);
            return;
        }

        IoOperation operation = work.Operation;
        switch (request.Operation)
        {
            case VolumeOperation.Read:
                loop.Read(disk, request.Offset, request.Data, operation);
                break;
            case VolumeOperation.Write:
                loop.Write(disk, request.Offset, request.Data, request.ForceUnitAccess, operation);
                break;
            case VolumeOperation.Zero:
                loop.Zero(disk, request.Offset, request.LengthBytes, request.MayUnmap, operation);
                break;
            case VolumeOperation.Discard:
                loop.Discard(disk, request.Offset, request.LengthBytes, operation);
                break;
            case VolumeOperation.Flush:
                loop.Flush(disk, operation);
                break;
            default:
                throw new InvalidOperationException($"{request.Operation}");
        }
    }

    private void OnDone(Work work)
    {
        IoRequest request = work.Request!;
        int error = work.Error != 0 ? work.Error : Math.Max(0, -work.Operation.Result);
        bool flushes = request.ForceUnitAccess
            && request.Operation is VolumeOperation.Zero or VolumeOperation.Discard
            && work.Operation.Kind != OperationKind.Flush;
        if (error == 0 && flushes)
        {
            loop.Flush(disk, work.Operation);
            return;
        }

        work.Request = null;
        work.Error = 0;
        _free.Push(work);
        InFlight--;
        if (Checks && request.Data.Buffer is { } slot)
        {
            _slotsInUse.Remove(slot);
        }

        request.Times.DecidedNs = loop.NowNs;
        request.Complete(error);
    }

    private sealed class Work
    {
        public Work(DiskFrontend owner) => Operation = new IoOperation(_ => owner.OnDone(this));

        public IoOperation Operation { get; }

        public IoRequest? Request { get; set; }

        public int Error { get; set; }
    }
}
