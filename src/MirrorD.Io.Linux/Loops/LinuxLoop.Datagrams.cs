using MirrorD.Io.Linux.Sockets;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Datagram sockets. Nothing is continued: an operation is one datagram.</summary>
public abstract partial class LinuxLoop
{
    /// <inheritdoc/>
    public IDatagramSocket OpenDatagram(UdpEndpoint endpoint)
    {
        int fd = DatagramSocketFactory.Open(endpoint, out UdpEndpoint bound);
        var socket = new LoopDatagramSocket(this, fd, bound);
        RequireRegistered(socket, KernelAddress.Describe(endpoint));
        return socket;
    }

    /// <inheritdoc/>
    public void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(into.LengthBytes, 1);
        var opened = (LoopDatagramSocket)socket;
        RequireFree(opened.Receiving, opened, "receive");
        LoopOperation started = BeginSocket(opened, into, operation, OperationKind.ReceiveDatagram);
        StartReceiving(opened, started);
    }

    /// <inheritdoc/>
    public void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation)
    {
        var opened = (LoopDatagramSocket)socket;
        RequireFree(opened.Sending, opened, "send");
        LoopOperation started = BeginSocket(opened, from, operation, OperationKind.SendDatagram);
        StartSending(opened, started);
    }

    private void ContinueDatagram(LoopOperation operation, int result)
    {
        LoopSocket socket = operation.Socket!;
        if (IsRetry(result) && !socket.IsClosed)
        {
            Restart(operation);
            return;
        }

        FinishSocket(operation, socket.IsClosed && result < 0 ? -Errno.ECANCELED : result);
    }
}
