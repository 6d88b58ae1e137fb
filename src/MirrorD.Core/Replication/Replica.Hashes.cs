using MirrorD.Core.Resync;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// A resync by checksum: before data is sent the target is asked for the hash of what it has in the range, and what is equal
/// stays. The range is held over the whole exchange. An equal block may lie in the target's volatile cache: so the question
/// has a sequence like a copy, and its bits go off by the same rule, after flushes of both sides that began after the answer.
/// </summary>
public sealed partial class Replica
{
    private readonly Dictionary<long, ResyncCopy> _comparedCopies = new(Limits.CopiesWhenIdle);

    /// <summary>Bytes of ranges that the running or last resync found equal on both sides.</summary>
    public long SyncEqualBytes { get; private set; }

    /// <summary>The copy whose hash was asked for with this sequence; null when it is not waited for any more.</summary>
    public ResyncCopy? ComparedCopy(long sequence) => _comparedCopies.GetValueOrDefault(sequence);

    /// <summary>The target has answered: what it has in the range is the same, or is not, or could not be read.</summary>
    public void CopyCompared(long sequence, bool isEqual)
    {
        if (_comparedCopies.Remove(sequence, out ResyncCopy? copy))
        {
            if (isEqual)
            {
                SyncCoveredBytes += copy.LengthBytes;
                SyncEqualBytes += copy.LengthBytes;
                CopyAcknowledged(copy);
            }
            else
            {
                SendCopy(copy);
            }
        }

        Settle();
    }

    /// <summary>The source asks for the hash of a range. Null when it was taken; else why it breaks the protocol.</summary>
    public string? IncomingHashQuestion(IncomingRead question)
    {
        if (Phase != LinkPhase.Target || _step < JoinStep.SourceReady || Role != Role.Standby || Failure is not null)
        {
            return $"a question for a hash to a node that is {Role} and {Phase}";
        }

        if (!Exists(question))
        {
            return $"range {question.Offset}+{question.LengthBytes} of volume {question.Volume} does not exist";
        }

        if (!_received.TryReceive(question.Number))
        {
            return $"sequence {question.Number} after {_received.Received}";
        }

        question.Link = _link;
        _busy++;
        _effects.HashRange(question);
        return null;
    }

    /// <summary>The range was read, or could not be, and the answer is on its way.</summary>
    public void RangeHashed(IncomingRead question)
    {
        _busy--;
        if (question.Link == _link && Failure is null)
        {
            _received.Completed(question.Number);
            PumpPeerFlush();
        }

        Settle();
    }

    private void CompareOrSend(ResyncCopy copy)
    {
        if (!_settings.ResyncByChecksum || copy.IsZero)
        {
            SendCopy(copy);
            return;
        }

        copy.QuestionSequence = ++_sequence;
        _comparedCopies.Add(copy.QuestionSequence, copy);
        _effects.SendHashQuestion(copy, copy.QuestionSequence);
    }

    private void SendCopy(ResyncCopy copy)
    {
        long sequence = ++_sequence;
        _sentCopies.Add(sequence, copy);
        SyncCoveredBytes += copy.LengthBytes;
        SyncSentBytes += copy.IsZero ? 0 : copy.LengthBytes;
        _effects.SendCopy(copy, sequence);
    }
}
