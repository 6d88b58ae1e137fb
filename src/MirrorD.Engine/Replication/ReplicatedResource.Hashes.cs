using MirrorD.Core.Replication;
using MirrorD.Core.Resync;
using MirrorD.Formats.Peer;

namespace MirrorD.Engine.Replication;

/// <summary>Hashes of ranges: a verify compares them, and a resync before it sends data.</summary>
public sealed partial class ReplicatedResource
{
    void IReplicaEffects.SendHashQuestion(ResyncCopy copy, long sequence) => _connection?.SendHashQuestion(copy, sequence);

    RangeHash IReplicaEffects.HashOf(ResyncCopy copy, long sequence) =>
        _connection!.Keys.HashOf(((CopyIo)copy).Data.Span, sequence);

    void IReplicaEffects.HashRange(IncomingRead question)
    {
        var io = (ServedRead)question;
        _loop.Read(_options.Volumes[io.Volume].Data, io.Offset, io.Data, io.Local);
    }

    void IReplicaEffects.RefuseHash(IncomingRead question)
    {
        _connection?.SendHashAnswer(question.Number, null);
        ServedReadEnded((ServedRead)question);
    }

    void IPeerConnectionUser.HashAnswered(long sequence, RangeHash? theirs)
    {
        _replica!.PeerHashed(sequence, theirs);
        AfterEvent();
    }

    /// <summary>First the answer, then that it is done: a flush that follows is told after it.</summary>
    private void AnswerHash(ServedRead question, int error)
    {
        if (question.Connection is { } connection && connection == _connection)
        {
            connection.SendHashAnswer(
                question.Number, error == 0 ? connection.Keys.HashOf(question.Data.Span, question.Number) : null);
        }

        _replica!.RangeHashed(question, error);
        question.HandedOver();
        AfterEvent();
    }
}
