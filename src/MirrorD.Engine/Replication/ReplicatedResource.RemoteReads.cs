using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Replication;

/// <summary>Reads from the peer's copy, reads for the peer, and what is repaired with them.</summary>
public sealed partial class ReplicatedResource
{
    private readonly Action<IoOperation> _servedReadDone;
    private readonly Action<ServedRead> _servedReadEnded;
    private readonly Stack<ServedRead> _freeServedReads = new();

    void IReplicaEffects.SendRead(VolumeRequest request, long number) => _connection?.SendRead(request, number);

    void IReplicaEffects.RepairLocal(VolumeRequest request)
    {
        var io = (IoRequest)request;
        _loop.Write(_options.Volumes[io.Volume].Data, io.Offset, io.Data, durable: false, io.Local!);
    }

    string? IPeerConnectionUser.ReadArrived(in PeerFrame question, IoBuffer slot)
    {
        ServedRead read = _freeServedReads.TryPop(out ServedRead? free)
            ? free : new ServedRead(_servedReadDone, _servedReadEnded);
        read.Number = question.Sequence;
        read.Volume = question.Volume;
        read.Offset = question.Offset;
        read.LengthBytes = question.RangeBytes;
        read.Slot = slot;
        read.Connection = _connection;
        read.IsHashed = question.Type == PeerFrameType.HashQuestion;
        string? error = read.IsHashed ? _replica!.IncomingHashQuestion(read) : _replica!.IncomingRead(read);
        if (error is not null)
        {
            ServedReadEnded(read);
        }

        AfterEvent();
        return error;
    }

    void IReplicaEffects.ServeRead(IncomingRead read)
    {
        var io = (ServedRead)read;
        _loop.Read(_options.Volumes[io.Volume].Data, io.Offset, io.Data, io.Local);
    }

    void IReplicaEffects.RefuseRead(IncomingRead read)
    {
        _connection?.SendSequence(PeerFrameType.ReadFailed, read.Number);
        ServedReadEnded((ServedRead)read);
    }

    private void ServedReadDone(IoOperation operation)
    {
        var read = (ServedRead)operation.State!;
        if (read.IsHashed)
        {
            AnswerHash(read, ErrorOf(operation, (int)read.LengthBytes));
            return;
        }

        if (read.Connection is { } connection && connection == _connection)
        {
            if (ErrorOf(operation, (int)read.LengthBytes) == 0)
            {
                connection.SendReadData(read);
            }
            else
            {
                connection.SendSequence(PeerFrameType.ReadFailed, read.Number);
            }
        }

        read.HandedOver();
        AfterEvent();
    }

    private void ServedReadEnded(ServedRead read)
    {
        IoBuffer slot = read.Slot!;
        read.Slot = null;
        read.Connection = null;
        _freeServedReads.Push(read);
        Buffers.Return(slot);
    }

    void IPeerConnectionUser.ReadAnswered(long number, ReadOnlySpan<byte> data)
    {
        if (_replica!.RemoteRead(number) is IoRequest request)
        {
            bool fits = data.Length == request.LengthBytes;
            if (fits)
            {
                data.CopyTo(request.Data.Span);
            }

            _replica.RemoteReadDone(number, fits ? 0 : Errno.EIO);
        }

        AfterEvent();
    }
}
