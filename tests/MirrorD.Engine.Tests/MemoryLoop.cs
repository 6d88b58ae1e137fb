using MirrorD.Io;

namespace MirrorD.Engine.Tests;

/// <summary>
/// A disk in memory and a loop that completes what is submitted when it is drained, without allocating.
/// </summary>
internal sealed class MemoryLoop : IIoLoop, IDisk
{
    public const long DiskBytes = 1 << 20;

    private readonly byte[] _bytes = new byte[DiskBytes];
    private readonly Queue<(IoOperation Operation, int Result)> _completions = new(16);
    private readonly Queue<Action> _posts = new(16);

    public string Name => "memory";

    public long LengthBytes => DiskBytes;

    public int LogicalBlockBytes => 4096;

    public bool CanDiscard => false;

    public long NowNs => 0;

    public void Drain()
    {
        while (_completions.Count > 0 || _posts.Count > 0)
        {
            if (_completions.TryDequeue(out (IoOperation Operation, int Result) next))
            {
                next.Operation.Complete(next.Result);
            }
            else
            {
                _posts.Dequeue()();
            }
        }
    }

    public void Read(IDisk disk, long offset, BufferSlice into, IoOperation operation)
    {
        _bytes.AsSpan((int)offset, into.LengthBytes).CopyTo(into.Span);
        End(OperationKind.Read, operation, into.LengthBytes);
    }

    public void Write(IDisk disk, long offset, BufferSlice from, bool durable, IoOperation operation)
    {
        from.Span.CopyTo(_bytes.AsSpan((int)offset));
        End(OperationKind.Write, operation, from.LengthBytes);
    }

    public void Flush(IDisk disk, IoOperation operation) => End(OperationKind.Flush, operation, 0);

    public void Post(Action action) => _posts.Enqueue(action);

    public void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation) =>
        throw new NotSupportedException();

    public void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation) =>
        throw new NotSupportedException();

    public void QueryAllocation(IDisk disk, long offset, long lengthBytes, IoOperation operation) =>
        throw new NotSupportedException();

    public void Receive(
        IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation) =>
        throw new NotSupportedException();

    public void Send(IConnection connection, BufferSlice from, IoOperation operation) =>
        throw new NotSupportedException();

    public IListener Listen(Endpoint endpoint) => throw new NotSupportedException();

    public void Accept(IListener listener, IoOperation operation) => throw new NotSupportedException();

    public void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation) =>
        throw new NotSupportedException();

    public IDatagramSocket OpenDatagram(UdpEndpoint endpoint) => throw new NotSupportedException();

    public void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation) =>
        throw new NotSupportedException();

    public void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation) =>
        throw new NotSupportedException();

    public void StartTimer(long deadlineNs, IoOperation operation) => throw new NotSupportedException();

    public void CancelTimer(IoOperation operation) => throw new NotSupportedException();

    public void Run() => throw new NotSupportedException();

    public void Stop() => throw new NotSupportedException();

    public void Close()
    {
    }

    private void End(OperationKind kind, IoOperation operation, int result)
    {
        operation.Begin(kind);
        _completions.Enqueue((operation, result));
    }
}
