using System.Security.Cryptography;
using MirrorD.Core.Replication;
using MirrorD.Core.Resync;
using MirrorD.Formats.Peer;

namespace MirrorD.Engine.Replication;

/// <summary>Hashes of ranges that a resync compares before it sends data.</summary>
public sealed partial class ReplicatedResource
{
    void IReplicaEffects.SendHashQuestion(ResyncCopy copy, long sequence) => _connection?.SendHashQuestion(copy, sequence);

    void IReplicaEffects.HashRange(IncomingRead question)
    {
        var io = (ServedRead)question;
        _loop.Read(_options.Volumes[io.Volume].Data, io.Offset, io.Data, io.Local);
    }

    void IPeerConnectionUser.HashAnswered(long sequence, ReadOnlySpan<byte> theirs)
    {
        if (_replica!.ComparedCopy(sequence) is CopyIo copy)
        {
            Span<byte> own = stackalloc byte[LinkKeys.RangeHashBytes];
            _connection!.Keys.ComputeRangeHash(copy.Data.Span, sequence, own);
            _replica.CopyCompared(sequence, CryptographicOperations.FixedTimeEquals(own, theirs));
        }

        AfterEvent();
    }

    /// <summary>First the answer, then that it is done: a flush that follows is told after it.</summary>
    private void AnswerHash(ServedRead question, int error)
    {
        if (question.Connection is { } connection && connection == _connection)
        {
            Span<byte> hash = stackalloc byte[LinkKeys.RangeHashBytes];
            if (error == 0)
            {
                connection.Keys.ComputeRangeHash(question.Data.Span, question.Number, hash);
            }

            connection.SendHashAnswer(question.Number, error == 0 ? hash : default);
        }

        _replica!.RangeHashed(question);
        question.HandedOver();
        AfterEvent();
    }
}
