using MirrorD.Core.Resync;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// Hashes of ranges, for a verify and for a resync by checksum: before data is sent the target is asked for the hash of what it
/// has in the range, and what is equal stays. The range is held over the whole exchange. An equal block may lie in the target's volatile cache: so the question
/// has a sequence like a copy, and its bits go off by the same rule, after flushes of both sides that began after the answer.
/// </summary>
public sealed partial class Replica
{
    private readonly Dictionary<long, ResyncCopy> _comparedCopies = new(Limits.MostCopies);

    /// <summary>Bytes of ranges that the running or last resync found equal on both sides.</summary>
    public long SyncEqualBytes { get; private set; }

    /// <summary>The peer has answered with the hash of what it has in the range, or with null: it can't be read.</summary>
    public void PeerHashed(long sequence, RangeHash? theirs)
    {
        if (_comparedCopies.Remove(sequence, out ResyncCopy? copy))
        {
            if (theirs is { } hash && hash == _effects.HashOf(copy, sequence))
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
        else
        {
            RangeOfVerifyHashed(sequence, theirs);
        }

        Settle();
    }

    /// <summary>The source, or who verifies, asks for the hash of a range. Null when it was taken; else why it breaks the protocol.</summary>
    public string? IncomingHashQuestion(IncomingRead question)
    {
        // Who verifies holds the range, and no write in it is under way: what it has sent before is on this disk.
        bool isTarget = Phase == LinkPhase.Target && _step >= JoinStep.SourceReady && Failure is null;
        if (Role != Role.Standby || !(isTarget || Phase == LinkPhase.Joined))
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

        if (Failure is not null)
        {
            _effects.RefuseHash(question);
            return null;
        }

        question.Link = _link;
        _busy++;
        _effects.HashRange(question);
        return null;
    }

    /// <summary>The range was read, or could not be, and the answer is on its way.</summary>
    /// <param name="question">The question.</param>
    /// <param name="error">0, or errno of the read.</param>
    public void RangeHashed(IncomingRead question, int error)
    {
        _busy--;
        if (error == Etimedout)
        {
            DiskFailed("the backing disk did not answer a read for the peer in time");
        }
        else if (question.Link == _link && Failure is null)
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

        long sequence = ++_sequence;
        _comparedCopies.Add(sequence, copy);
        _effects.SendHashQuestion(copy, sequence);
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
