using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;
using MirrorD.Io.Linux.Uring;

namespace MirrorD.Io.Linux;

/// <summary>Datagram sockets. Nothing is continued: an operation is one datagram.</summary>
public sealed unsafe partial class UringLoop
{
    /// <inheritdoc/>
    public IDatagramSocket OpenDatagram(UdpEndpoint endpoint)
    {
        int fd = DatagramSocketFactory.Open(endpoint, out UdpEndpoint bound);
        return new UringDatagramSocket(this, fd, bound);
    }

    /// <inheritdoc/>
    public void Receive(IDatagramSocket socket, BufferSlice into, IoOperation operation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(into.LengthBytes, 1);
        var opened = (UringDatagramSocket)socket;
        RequireFree(opened.Receiving, opened, "receive");
        UringOperation started = BeginDatagram(opened, into, operation, OperationKind.ReceiveDatagram);
        if (opened.IsClosed)
        {
            CompleteLater(started, -Errno.ECANCELED);
            return;
        }

        opened.Receiving = started;
        Start(started);
    }

    /// <inheritdoc/>
    public void Send(IDatagramSocket socket, BufferSlice from, IoOperation operation)
    {
        var opened = (UringDatagramSocket)socket;
        RequireFree(opened.Sending, opened, "send");
        UringOperation started = BeginDatagram(opened, from, operation, OperationKind.SendDatagram);
        if (opened.IsClosed)
        {
            CompleteLater(started, -Errno.ECANCELED);
            return;
        }

        opened.Sending = started;
        Start(started);
    }

    /// <summary>
    /// Ends a socket: see <see cref="IDatagramSocket.Close"/>. As with connections the descriptor stays open
    /// until the kernel has given up what uses it.
    /// </summary>
    internal void Close(UringDatagramSocket socket)
    {
        if (_isDisposed || (socket.Receiving is null && socket.Sending is null))
        {
            _ = Unistd.close(socket.Fd);
            return;
        }

        CancelIfAny(socket.Receiving);
        CancelIfAny(socket.Sending);
    }

    private static UringOperation BeginDatagram(
        UringDatagramSocket socket, BufferSlice slice, IoOperation operation, OperationKind kind)
    {
        operation.Begin(kind);
        UringOperation started = UringOperation.Of(operation);
        started.Fd = socket.Fd;
        started.Datagrams = socket;
        started.Memory = slice.Buffer?.Memory;
        started.Address = slice.Address;
        started.Offset = 0;
        started.LengthBytes = slice.LengthBytes;
        started.DoneBytes = 0;
        started.ForceWorker = false;
        return started;
    }

    private void ContinueDatagram(UringOperation operation, int result)
    {
        UringDatagramSocket socket = operation.Datagrams!;
        if (IsRetry(result) && !socket.IsClosed)
        {
            Restart(operation);
            return;
        }

        if (operation.Operation.Kind == OperationKind.ReceiveDatagram)
        {
            socket.Receiving = null;
        }
        else
        {
            socket.Sending = null;
        }

        _table.Remove(operation);
        operation.Datagrams = null;
        if (socket is { IsClosed: true, Receiving: null, Sending: null })
        {
            _ = Unistd.close(socket.Fd);
        }

        operation.Operation.Complete(socket.IsClosed && result < 0 ? -Errno.ECANCELED : result);
    }
}
