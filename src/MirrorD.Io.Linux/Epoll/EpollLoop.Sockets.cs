using MirrorD.Io.Linux.Epoll;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Linux;

/// <summary>Sockets: never block, tried at once, tried again when epoll tells.</summary>
public sealed unsafe partial class EpollLoop
{
    private const uint SocketEvents = EpollCalls.EPOLLIN | EpollCalls.EPOLLOUT | EpollCalls.EPOLLRDHUP;
    private const uint ReceiveEvents =
        EpollCalls.EPOLLIN | EpollCalls.EPOLLRDHUP | EpollCalls.EPOLLHUP | EpollCalls.EPOLLERR;
    private const uint SendEvents = EpollCalls.EPOLLOUT | EpollCalls.EPOLLHUP | EpollCalls.EPOLLERR;

    // A unix listener whose queue is full tells nobody when there is room again.
    private const long FullQueueRetryNs = 5_000_000;

    private readonly SocketTable _sockets = new();

    private protected override int Register(LoopSocket socket)
    {
        if (Fcntl.fcntl(socket.Fd, Fcntl.F_SETFL, Fcntl.O_NONBLOCK) != 0)
        {
            return -LinuxError.Last;
        }

        socket.Slot = _sockets.Add(socket);
        int error = EventMemory.Add(_set, socket.Fd, SocketEvents, (ulong)socket.Slot);
        if (error != 0)
        {
            _sockets.Remove(socket.Slot);
            socket.Slot = -1;
        }

        return error;
    }

    private protected override void CloseDescriptor(LoopSocket socket)
    {
        if (socket.Slot >= 0 && !IsDisposed)
        {
            // A copy of the descriptor, in a process that another thread just starts, would keep it in the set.
            _ = EpollCalls.epoll_ctl(_set, EpollCalls.EPOLL_CTL_DEL, socket.Fd, null);
            _sockets.Remove(socket.Slot);
            socket.Slot = -1;
        }

        base.CloseDescriptor(socket);
    }

    private void TryAgain(LoopSocket socket, uint events)
    {
        if ((events & ReceiveEvents) != 0 && socket.Receiving is { IsParked: true } receiving)
        {
            receiving.IsParked = false;
            Try(receiving);
        }

        if ((events & SendEvents) != 0 && socket.Sending is { IsParked: true } sending)
        {
            if (sending.Operation.Kind != OperationKind.Connect)
            {
                sending.IsParked = false;
                Try(sending);
            }
            else if (sending.IsUnderWay)
            {
                sending.IsParked = false;
                Answered(sending, ResultOfConnect(sending));
            }
        }
    }

    private void Try(LoopOperation operation)
    {
        int result = Perform(operation);
        if (result == -Errno.EAGAIN)
        {
            operation.IsParked = true;
        }
        else
        {
            Answered(operation, result);
        }
    }

    private int Perform(LoopOperation operation)
    {
        void* memory = (void*)(operation.Address + operation.DoneBytes);
        nuint left = (nuint)(operation.LengthBytes - operation.DoneBytes);
        nint result = operation.Operation.Kind switch
        {
            OperationKind.Receive or OperationKind.ReceiveDatagram => Socket.recv(operation.Fd, memory, left, 0),
            OperationKind.Send or OperationKind.SendDatagram =>
                Socket.sendto(operation.Fd, memory, left, Socket.MSG_NOSIGNAL, null, 0),
            OperationKind.Accept => Socket.accept4(operation.Fd, null, null, Socket.SOCK_CLOEXEC),
            OperationKind.Connect => Socket.connect(operation.Fd, (void*)operation.Address, operation.AddressBytes),
            _ => throw new InvalidOperationException($"{operation.Operation.Kind} is not of a socket."),
        };
        if (result >= 0)
        {
            return (int)result;
        }

        int error = LinuxError.Last;
        if (operation.Operation.Kind != OperationKind.Connect)
        {
            return -error;
        }

        operation.IsUnderWay = error == LinuxError.EINPROGRESS;
        if (error == Errno.EAGAIN)
        {
            ConnectLater(operation, FullQueueRetryNs);
        }

        return operation.IsUnderWay ? -Errno.EAGAIN : -error;
    }

    private static int ResultOfConnect(LoopOperation operation)
    {
        int error = 0;
        uint length = sizeof(int);
        int result = Socket.getsockopt(operation.Fd, Socket.SOL_SOCKET, Socket.SO_ERROR, &error, &length);
        return result == 0 ? -error : -LinuxError.Last;
    }
}
