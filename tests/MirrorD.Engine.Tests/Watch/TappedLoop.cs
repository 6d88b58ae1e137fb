using MirrorD.Io;

namespace MirrorD.Engine.Tests.Watch;

/// <summary>A loop whose sent datagrams somebody records.</summary>
internal sealed class TappedLoop(IIoLoop loop, Action<UdpEndpoint, byte[]> sent) : IIoLoop
{
    public long NowNs => loop.NowNs;

    public IDatagramSocket OpenDatagram(UdpEndpoint endpoint) => loop.OpenDatagram(endpoint);

    public void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation) =>
        loop.Receive(socket, into, operation);

    public void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation)
    {
        sent(socket.Endpoint, from.Span.ToArray());
        loop.Send(socket, from, operation);
    }

    public void StartTimer(long deadlineNs, IoOperation operation) => loop.StartTimer(deadlineNs, operation);

    public void CancelTimer(IoOperation operation) => loop.CancelTimer(operation);

    public void Post(Action action) => loop.Post(action);

    public void Run() => loop.Run();

    public void Stop() => loop.Stop();

    public void Read(IDisk disk, long offset, BufferSlice into, IoOperation operation) =>
        throw new NotSupportedException();

    public void Write(IDisk disk, long offset, BufferSlice from, bool durable, IoOperation operation) =>
        throw new NotSupportedException();

    public void Flush(IDisk disk, IoOperation operation) => throw new NotSupportedException();

    public void Discard(IDisk disk, long offset, long lengthBytes, IoOperation operation) =>
        throw new NotSupportedException();

    public void Zero(IDisk disk, long offset, long lengthBytes, bool mayUnmap, IoOperation operation) =>
        throw new NotSupportedException();

    public void QueryAllocation(IDisk disk, long offset, long lengthBytes, IoOperation operation) =>
        throw new NotSupportedException();

    public void Receive(IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation) =>
        throw new NotSupportedException();

    public void Send(IConnection connection, BufferSlice from, IoOperation operation) =>
        throw new NotSupportedException();

    public IListener Listen(Endpoint endpoint) => throw new NotSupportedException();

    public void Accept(IListener listener, IoOperation operation) => throw new NotSupportedException();

    public void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation) =>
        throw new NotSupportedException();
}
