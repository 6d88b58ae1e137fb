using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;
using MirrorD.Io.Linux.Uring;

namespace MirrorD.Io.Linux;

/// <summary>Socket operations.</summary>
public sealed unsafe partial class UringLoop
{
    /// <inheritdoc/>
    public void Receive(IConnection connection, BufferSlice into, int minimumBytes, IoOperation operation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minimumBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minimumBytes, into.LengthBytes);
        var opened = (UringConnection)connection;
        RequireFree(opened.Receiving, opened, "receive");
        UringOperation started = BeginSocket(opened, into, operation, OperationKind.Receive);
        started.MinimumBytes = minimumBytes;
        if (opened.IsClosed)
        {
            CompleteLater(started, -Errno.ECANCELED);
            return;
        }

        opened.Receiving = started;
        Start(started);
    }

    /// <inheritdoc/>
    public void Send(IConnection connection, BufferSlice from, IoOperation operation)
    {
        var opened = (UringConnection)connection;
        RequireFree(opened.Sending, opened, "send");
        UringOperation started = BeginSocket(opened, from, operation, OperationKind.Send);
        if (opened.IsClosed || from.LengthBytes == 0)
        {
            CompleteLater(started, opened.IsClosed ? -Errno.ECANCELED : 0);
            return;
        }

        opened.Sending = started;
        Start(started);
    }

    /// <inheritdoc/>
    public IListener Listen(Endpoint endpoint) => UringListener.Open(this, endpoint);

    /// <inheritdoc/>
    public void Accept(IListener listener, IoOperation operation)
    {
        var opened = (UringListener)listener;
        RequireFree(opened.Accepting, opened, "accept");
        operation.Begin(OperationKind.Accept);
        UringOperation started = UringOperation.Of(operation);
        if (opened.IsClosed)
        {
            CompleteLater(started, -Errno.ECANCELED);
            return;
        }

        started.Fd = opened.Fd;
        started.Listener = opened;
        opened.Accepting = started;
        Start(started);
    }

    /// <inheritdoc/>
    public void Connect(Endpoint endpoint, long timeoutNs, IoOperation operation)
    {
        operation.Begin(OperationKind.Connect);
        UringOperation started = UringOperation.Of(operation);
        int fd = SocketFactory.OpenForConnect(endpoint);
        if (fd < 0)
        {
            CompleteLater(started, fd);
            return;
        }

        started.Fd = fd;
        started.Endpoint = endpoint;
        started.Address = (nint)NativeMemory.Alloc(KernelAddress.MaxBytes);
        started.AddressBytes = KernelAddress.Encode(endpoint, (byte*)started.Address);
        started.IsTimedOut = false;
        long nowNs = NowNs;
        started.DeadlineNs = timeoutNs < long.MaxValue - nowNs ? nowNs + timeoutNs : long.MaxValue;
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
        return new UringConnection(this, fd, name, null);
    }

    /// <summary>Ends a connection: see <see cref="IConnection.Close"/>.</summary>
    internal void Close(UringConnection connection)
    {
        if (_isDisposed || (connection.Receiving is null && connection.Sending is null))
        {
            _ = Unistd.close(connection.Fd);
            return;
        }

        // The descriptor stays open until the kernel has given up what uses it, so that its number can't come
        // to mean another file meanwhile. The other end sees the close at once.
        _ = Socket.shutdown(connection.Fd, Socket.SHUT_RDWR);
        CancelIfAny(connection.Receiving);
        CancelIfAny(connection.Sending);
    }

    /// <summary>Ends a listener: see <see cref="IListener.Close"/>.</summary>
    internal void Close(UringListener listener)
    {
        if (_isDisposed || listener.Accepting is null)
        {
            _ = Unistd.close(listener.Fd);
            return;
        }

        Cancel(listener.Accepting);
    }

    private void CancelIfAny(UringOperation? operation)
    {
        if (operation is not null)
        {
            Cancel(operation);
        }
    }

    private static void RequireFree(UringOperation? pending, object user, string what)
    {
        if (pending is not null)
        {
            throw new InvalidOperationException($"A {what} is already pending on {user}.");
        }
    }

    private static UringOperation BeginSocket(
        UringConnection connection, BufferSlice slice, IoOperation operation, OperationKind kind)
    {
        operation.Begin(kind);
        UringOperation started = UringOperation.Of(operation);
        started.Fd = connection.Fd;
        started.Connection = connection;
        started.Memory = slice.Buffer?.Memory;
        started.Address = slice.Address;
        started.Offset = 0;
        started.LengthBytes = slice.LengthBytes;
        started.DoneBytes = 0;
        started.ForceWorker = false;
        return started;
    }

    private void ContinueReceive(UringOperation operation, int result)
    {
        UringConnection connection = operation.Connection!;
        operation.DoneBytes += int.Max(result, 0);
        bool isEnough = operation.DoneBytes >= operation.MinimumBytes;
        if (!isEnough && !connection.IsClosed && (result > 0 || IsRetry(result)))
        {
            Restart(operation);
            return;
        }

        connection.Receiving = null;
        int final = isEnough ? (int)operation.DoneBytes
            : connection.IsClosed ? -Errno.ECANCELED
            : result == 0 ? (int)operation.DoneBytes : result;
        FinishSocket(operation, connection, final);
    }

    private void ContinueSend(UringOperation operation, int result)
    {
        UringConnection connection = operation.Connection!;
        operation.DoneBytes += int.Max(result, 0);
        bool isEnough = operation.DoneBytes == operation.LengthBytes;
        if (!isEnough && !connection.IsClosed && (result > 0 || IsRetry(result)))
        {
            Restart(operation);
            return;
        }

        connection.Sending = null;
        int final = isEnough ? (int)operation.LengthBytes
            : connection.IsClosed ? -Errno.ECANCELED
            : result == 0 ? -Errno.EPIPE : result;
        FinishSocket(operation, connection, final);
    }

    private static bool IsRetry(int result) => result is -Errno.EAGAIN or -LinuxError.EINTR;

    private void FinishSocket(UringOperation operation, UringConnection connection, int result)
    {
        _table.Remove(operation);
        operation.Connection = null;
        if (connection is { IsClosed: true, Receiving: null, Sending: null })
        {
            _ = Unistd.close(connection.Fd);
        }

        operation.Operation.Complete(result);
    }

    private void ContinueAccept(UringOperation operation, int result)
    {
        UringListener listener = operation.Listener!;
        if (!listener.IsClosed && (IsRetry(result) || result == -LinuxError.ECONNABORTED))
        {
            Restart(operation);
            return;
        }

        _table.Remove(operation);
        operation.Listener = null;
        listener.Accepting = null;
        if (listener.IsClosed)
        {
            _ = Unistd.close(listener.Fd);
            if (result >= 0)
            {
                _ = Unistd.close(result);
            }

            operation.Operation.Complete(-Errno.ECANCELED);
            return;
        }

        UringConnection? accepted = result < 0 ? null : listener.Accept(result);
        operation.Operation.Complete(int.Min(result, 0), accepted);
    }

    private void ContinueConnect(UringOperation operation, int result)
    {
        if (IsRetry(result) && !operation.IsTimedOut)
        {
            Restart(operation);
            return;
        }

        _table.Remove(operation);
        if (operation.HeapIndex >= 0)
        {
            _timers.Remove(operation);
        }

        NativeMemory.Free((void*)operation.Address);
        operation.Address = 0;
        Endpoint endpoint = operation.Endpoint!;
        operation.Endpoint = null;
        if (result < 0)
        {
            _ = Unistd.close(operation.Fd);
            operation.Operation.Complete(operation.IsTimedOut ? -Errno.ETIMEDOUT : result);
            return;
        }

        var connection = new UringConnection(
            this, operation.Fd, KernelAddress.Describe(endpoint), (endpoint as TcpEndpoint)?.Address);
        operation.Operation.Complete(0, connection);
    }
}
