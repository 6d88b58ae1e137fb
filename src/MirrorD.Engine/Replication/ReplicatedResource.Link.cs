using MirrorD.Core.Volumes;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>What the connection to the peer brings.</summary>
public sealed partial class ReplicatedResource : IPeerConnectionUser
{
    private readonly Action<IoOperation> _incomingDone;
    private readonly Stack<IncomingIo> _freeIncoming = new();

    IncomingIo IPeerConnectionUser.RentIncoming() =>
        _freeIncoming.TryPop(out IncomingIo? free) ? free : new IncomingIo(_incomingDone);

    void IPeerConnectionUser.ReturnIncoming(IncomingIo incoming)
    {
        if (incoming.Slot is { } slot)
        {
            incoming.Slot = null;
            Buffers.Return(slot);
        }

        _freeIncoming.Push(incoming);
    }

    string? IPeerConnectionUser.Arrived(IncomingIo write)
    {
        write.ArrivedNs = _connection?.ArrivedNs ?? _loop.NowNs;
        string? error = _replica!.IncomingArrived(write);
        AfterEvent();
        return error;
    }

    string? IPeerConnectionUser.FlushArrived(long throughSequence)
    {
        string? error = _replica!.IncomingFlush(throughSequence);
        AfterEvent();
        return error;
    }

    void IPeerConnectionUser.Acknowledged(long sequence, long appliedNs)
    {
        NoteAcknowledged(sequence, appliedNs);
        _replica!.PeerAcknowledged(sequence);
        AfterEvent();
    }

    void IPeerConnectionUser.Received(long sequence)
    {
        _replica!.PeerReceived(sequence);
        AfterEvent();
    }

    void IPeerConnectionUser.Durable(long throughSequence)
    {
        _replica!.PeerDurable(throughSequence);
        AfterEvent();
    }

    void IPeerConnectionUser.Said(PeerMessage message)
    {
        _replica!.PeerSaid(message);
        AfterEvent();
    }

    void IPeerConnectionUser.Closed(PeerConnection connection, string reason)
    {
        _connection = null;
        _link.IsBusy = _next is not null;
        _replica!.LinkLost(reason);
        Action? then = _afterClose;
        _afterClose = null;
        then?.Invoke();
        UseNext();
        AfterEvent();
    }

    void Core.Replication.IReplicaEffects.DropIncoming(Core.Replication.IncomingWrite write) =>
        ((IPeerConnectionUser)this).ReturnIncoming((IncomingIo)write);

    void Core.Replication.IReplicaEffects.ApplyIncoming(Core.Replication.IncomingWrite write)
    {
        var io = (IncomingIo)write;
        IDisk disk = _options.Volumes[io.Volume].Data;
        if (io.Operation == VolumeOperation.Write)
        {
            _loop.Write(disk, io.Offset, io.Slot!.Slice(BufferPool.HeadroomBytes, (int)io.LengthBytes),
                io.ForceUnitAccess, io.Local);
        }
        else
        {
            _loop.Zero(disk, io.Offset, io.LengthBytes, io.MayUnmap, io.Local);
        }
    }

    private void IncomingDone(IoOperation operation)
    {
        var io = (IncomingIo)operation.State!;
        int error = ErrorOf(operation, (int)io.LengthBytes);
        if (error == 0 && io.ForceUnitAccess && io.Operation == VolumeOperation.Zero && !io.IsFlushing)
        {
            io.IsFlushing = true;
            _loop.Flush(_options.Volumes[io.Volume].Data, operation);
            return;
        }

        _appliedNs = Math.Max(0, _loop.NowNs - io.ArrivedNs);
        _replica!.IncomingDone(io, error);
        _appliedNs = -1;
        ((IPeerConnectionUser)this).ReturnIncoming(io);
        AfterEvent();
    }
}
