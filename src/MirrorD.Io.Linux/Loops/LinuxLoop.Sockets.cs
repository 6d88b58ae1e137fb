using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Socket operations.</summary>
public abstract unsafe partial class LinuxLoop
{
    /// <inheritdoc/>
    public void Receive(IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minimumBytes, into.LengthBytes);
        var opened = (LoopConnection)connection;
        RequireFree(opened.Receiving, opened, "receive");
        LoopOperation started = BeginSocket(opened, into, operation, OperationKind.Receive);
        started.MinimumBytes = minimumBytes;
        StartReceiving(opened, started);
    }

    /// <inheritdoc/>
    public void Send(IConnection connection, BufferSlice from, IoOperation operation)
    {
        var opened = (LoopConnection)connection;
        RequireFree(opened.Sending, opened, "send");
        LoopOperation started = BeginSocket(opened, from, operation, OperationKind.Send);
        if (from.LengthBytes == 0 && !opened.IsClosed)
        {
            CompleteLater(started, 0);
            return;
        }

        if (!TrySendAtOnce(opened, started))
        {
            StartSending(opened, started);
        }
    }

    /// <inheritdoc/>
    public IListener Listen(Endpoint endpoint)
    {
        LoopListener listener = LoopListener.Open(this, endpoint);
        RequireRegistered(listener, KernelAddress.Describe(endpoint));
        return listener;
    }

    /// <inheritdoc/>
    public void Accept(IListener listener, IoOperation operation)
    {
        var opened = (LoopListener)listener;
        RequireFree(opened.Receiving, opened, "accept");
        LoopOperation started = BeginSocket(opened, default, operation, OperationKind.Accept);
        StartReceiving(opened, started);
    }

    /// <inheritdoc/>
    public void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation)
    {
        int fd = SocketFactory.OpenForConnect(endpoint);
        LoopConnection? made = fd < 0 ? null
            : new LoopConnection(this, fd, KernelAddress.Describe(endpoint), (endpoint as TcpEndpoint)?.Address);
        LoopOperation started = BeginSocket(made, default, operation, OperationKind.Connect);
        if (made is null)
        {
            CompleteLater(started, fd);
            return;
        }

        int error = Register(made);
        if (error != 0)
        {
            CloseDescriptor(made);
            CompleteLater(started, error);
            return;
        }

        made.Sending = started;
        started.Address = (nint)NativeMemory.Alloc(KernelAddress.MaxBytes);
        started.AddressBytes = KernelAddress.Encode(endpoint, (byte*)started.Address);
        started.IsTimedOut = false;
        long nowNs = NowNs;
        started.DeadlineNs = timeoutNs < long.MaxValue - nowNs ? nowNs + timeoutNs : long.MaxValue;
        started.LimitNs = started.DeadlineNs;
        _timers.Add(started);
        Start(started);
    }

    /// <summary>Makes a connection of this loop from a connected stream socket that exists already.</summary>
    /// <param name="socket">The socket, e.g. an end of a pair; from now on the connection closes it.</param>
    /// <param name="name">The connection's name, for messages.</param>
    public IConnection Adopt(SafeFileHandle socket, string name)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ObjectDisposedException.ThrowIf(socket.IsClosed || socket.IsInvalid, socket);
        int fd = (int)socket.DangerousGetHandle();
        socket.SetHandleAsInvalid();
        var connection = new LoopConnection(this, fd, name, null);
        RequireRegistered(connection, name);
        return connection;
    }

    /// <summary>
    /// Ends a socket: see <see cref="IConnection.Close"/>, <see cref="IListener.Close"/> and
    /// <see cref="IDatagramSocket.Close"/>.
    /// </summary>
    internal void Close(LoopSocket socket)
    {
        if (_isDisposed || (socket.Receiving is null && socket.Sending is null))
        {
            CloseDescriptor(socket);
            return;
        }

        // The descriptor stays open until the kernel has given up what uses it, so that its number can't come
        // to mean another file meanwhile. The other end of a connection sees the close at once.
        if (socket is LoopConnection)
        {
            _ = Socket.shutdown(socket.Fd, Socket.SHUT_RDWR);
        }

        CancelIfAny(socket.Receiving);
        CancelIfAny(socket.Sending);
    }

    private void StartReceiving(LoopSocket socket, LoopOperation operation)
    {
        if (socket.IsClosed)
        {
            CompleteLater(operation, -Errno.ECANCELED);
            return;
        }

        socket.Receiving = operation;
        Start(operation);
    }

    private void StartSending(LoopSocket socket, LoopOperation operation)
    {
        if (socket.IsClosed)
        {
            CompleteLater(operation, -Errno.ECANCELED);
            return;
        }

        socket.Sending = operation;
        Start(operation);
    }

    /// <summary>
    /// Most sends fit into the socket's buffer. Done here they take no turn through the kernel's queues, in which a loop that
    /// has nothing else to do would wake once for their completion alone. False: the rest has to wait for room.
    /// </summary>
    private bool TrySendAtOnce(LoopSocket socket, LoopOperation operation)
    {
        if (!IsBound || IsDisposed || socket.IsClosed)
        {
            return false;
        }

        int result = (int)Interop.Socket.send(
            socket.Fd, (void*)operation.Address, (nuint)operation.LengthBytes,
            Interop.Socket.MSG_DONTWAIT | Interop.Socket.MSG_NOSIGNAL);
        if (result < 0)
        {
            // What a socket has failed with it tells once: a second try would hear of another cause.
            result = -LinuxError.Last;
            if (IsRetry(result))
            {
                return false;
            }
        }
        else if (result < operation.LengthBytes)
        {
            operation.DoneBytes = result;
            return false;
        }

        socket.Sending = operation;
        operation.HasLeft = true;
        CompleteLater(operation, result);
        return true;
    }

    private void RequireRegistered(LoopSocket socket, string place)
    {
        int error = Register(socket);
        if (error != 0)
        {
            socket.Close();
            throw LinuxError.Exception($"Cannot wait for {place}", -error);
        }
    }

    private void CancelIfAny(LoopOperation? operation)
    {
        if (operation is { HasLeft: false })
        {
            Cancel(operation);
        }
    }

    private static void RequireFree(LoopOperation? pending, object user, string what)
    {
        if (pending is not null)
        {
            throw new InvalidOperationException($"A {what} is already pending on {user}.");
        }
    }

    private static LoopOperation BeginSocket(LoopSocket? socket, BufferSlice slice, IoOperation operation, OperationKind kind)
    {
        operation.Begin(kind);
        LoopOperation started = LoopOperation.Of(operation);
        started.Fd = socket?.Fd ?? -1;
        started.Socket = socket;
        started.Memory = slice.Buffer?.Memory;
        started.Address = slice.Address;
        started.Offset = 0;
        started.LengthBytes = slice.LengthBytes;
        started.DoneBytes = 0;
        started.HasLeft = false;
        started.ForceWorker = false;
        return started;
    }

    private void ContinueReceive(LoopOperation operation, int result)
    {
        LoopSocket connection = operation.Socket!;
        operation.DoneBytes += int.Max(result, 0);
        bool isEnough = operation.DoneBytes >= operation.MinimumBytes;
        if (!isEnough && !connection.IsClosed && (result > 0 || IsRetry(result)))
        {
            Restart(operation);
            return;
        }

        int final = isEnough ? (int)operation.DoneBytes
            : connection.IsClosed ? -Errno.ECANCELED
            : result == 0 ? (int)operation.DoneBytes : result;
        FinishSocket(operation, final);
    }

    private void ContinueSend(LoopOperation operation, int result)
    {
        LoopSocket connection = operation.Socket!;
        operation.DoneBytes += int.Max(result, 0);
        bool isEnough = operation.DoneBytes == operation.LengthBytes;
        if (!isEnough && !connection.IsClosed && (result > 0 || IsRetry(result)))
        {
            Restart(operation);
            return;
        }

        int final = isEnough ? (int)operation.LengthBytes
            : connection.IsClosed ? -Errno.ECANCELED
            : result == 0 ? -Errno.EPIPE : result;
        FinishSocket(operation, final);
    }

    private static bool IsRetry(int result) => result is -Errno.EAGAIN or -LinuxError.EINTR;

    private void FinishSocket(LoopOperation operation, int result)
    {
        Detach(operation);
        operation.Operation.Complete(result);
    }

    /// <summary>The operation is over; so is a closed socket with its last one.</summary>
    private void Detach(LoopOperation operation)
    {
        Release(operation);
        LoopSocket socket = operation.Socket!;
        operation.Socket = null;
        if (socket.Receiving == operation)
        {
            socket.Receiving = null;
        }
        else
        {
            socket.Sending = null;
        }

        if (socket is { IsClosed: true, Receiving: null, Sending: null })
        {
            CloseDescriptor(socket);
        }
    }

    private void ContinueAccept(LoopOperation operation, int result)
    {
        var listener = (LoopListener)operation.Socket!;
        if (!listener.IsClosed && (IsRetry(result) || result == -LinuxError.ECONNABORTED))
        {
            Restart(operation);
            return;
        }

        Detach(operation);
        if (listener.IsClosed)
        {
            if (result >= 0)
            {
                _ = Unistd.close(result);
            }

            operation.Operation.Complete(-Errno.ECANCELED);
            return;
        }

        LoopConnection? accepted = result < 0 ? null : listener.Accept(result);
        int error = accepted is null ? result : Register(accepted);
        if (accepted is not null && error != 0)
        {
            CloseDescriptor(accepted);
            accepted = null;
        }

        operation.Operation.Complete(error, accepted);
    }

    private void ContinueConnect(LoopOperation operation, int result)
    {
        if (IsRetry(result) && !operation.IsTimedOut)
        {
            Restart(operation);
            return;
        }

        var connection = (LoopConnection)operation.Socket!;
        Detach(operation);
        if (operation.HeapIndex >= 0)
        {
            _timers.Remove(operation);
        }

        NativeMemory.Free((void*)operation.Address);
        operation.Address = 0;
        if (result < 0)
        {
            CloseDescriptor(connection);
            operation.Operation.Complete(operation.IsTimedOut ? -Errno.ETIMEDOUT : result);
            return;
        }

        operation.Operation.Complete(0, connection);
    }
}
