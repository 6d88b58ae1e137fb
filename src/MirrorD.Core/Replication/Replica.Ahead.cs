using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// Modes memory and async (safety contract, section 2, rule 4): clients are answered before the peer has completed their
/// mutations. All else is as in mode sync: range and log are held until the peer has, flush and force unit access wait for
/// both disks, reads for what the peer may lack, changes of role for everything.
/// </summary>
public sealed partial class Replica
{
    private readonly AheadWrites _ahead;
    private readonly Queue<VolumeRequest> _awaitingPeer = new(64);
    private long _unconfirmedBytes;
    private bool _hasJoined;

    /// <summary>Bytes of mutations whose clients were answered and that the peer has not completed.</summary>
    public long AheadBytes => _ahead.Bytes;

    /// <summary>When the oldest of them was answered; -1 when there is none.</summary>
    public long AheadSinceNs => _ahead.Oldest?.SinceNs ?? -1;

    /// <summary>In mode memory: the peer has the mutation with this sequence in memory, and will carry it out.</summary>
    public void PeerReceived(long sequence)
    {
        if (_settings.Mode != ReplicationMode.Memory)
        {
            _effects.CloseLink(
                $"protocol error: received {sequence} in mode {_settings.Mode.InWords()}", operatorNeeded: false);
            return;
        }

        NoteStandstill();
        if (_sent.TryGetValue(sequence, out VolumeRequest? request))
        {
            request.PeerReceived = true;
            FinishOrWait(request);
            CompleteReadsAhead();
        }

        Settle();
    }

    /// <summary>In mode async: false when the request has to wait until the peer has more of what was sent before.</summary>
    private bool TryAdmit(VolumeRequest request)
    {
        if (_settings.Mode != ReplicationMode.Async || Path != WritePath.Mirrored || request.ForceUnitAccess)
        {
            return true;
        }

        bool hasRoom = _awaitingPeer.Count == 0 && _ahead.HasRoom(request.LengthBytes, _effects.NowNs);
        if (!hasRoom && !Canary.Breaks(BrokenRule.AheadUnbounded))
        {
            return false;
        }

        Admit(request);
        return true;
    }

    private void Admit(VolumeRequest request)
    {
        request.IsAdmitted = true;
        _ahead.Admit(request.LengthBytes);
    }

    private void Withdraw(VolumeRequest request)
    {
        if (request.IsAdmitted)
        {
            request.IsAdmitted = false;
            _ahead.Withdraw(request.LengthBytes);
        }
    }

    private void PumpAwaitingPeer()
    {
        while (_awaitingPeer.TryPeek(out VolumeRequest? next) && _ahead.HasRoom(next.LengthBytes, _effects.NowNs))
        {
            _awaitingPeer.Dequeue();
            Admit(next);
            Start(next);
        }
    }

    /// <summary>
    /// The local disk has it, and the peer as far as the mode asks for. Not on a link that this node is about to end: there
    /// it would be a degraded completion, and waits for its generation.
    /// </summary>
    private bool MayAnswerAhead(VolumeRequest request) =>
        Path == WritePath.Mirrored && Role == Role.Primary && Failure is null && !request.ForceUnitAccess
        && !request.LocalFailed && !State.Disconnected
        && _settings.Mode switch
        {
            ReplicationMode.Sync => false,
            ReplicationMode.Memory => request.PeerReceived || Canary.Breaks(BrokenRule.MemoryNotAwaited),
            ReplicationMode.Async => true,
        };

    private void AnswerAhead(VolumeRequest request)
    {
        if (_ahead.TryAdd(request, request.Sequence, request.IsAdmitted, _effects.NowNs) is not { } ahead)
        {
            // Too many to be remembered: answered when the peer has completed it.
            return;
        }

        NoteLatency(request);
        RemoveIssued(request);
        _sent.Remove(request.Sequence);
        if (request.HoldsRange && !Canary.Breaks(BrokenRule.OverlapNotSerialised))
        {
            ahead.HoldsRange = true;
            _ranges.HandOver(request, ahead);
        }

        request.InLog = false;
        request.HoldsRange = false;
        request.IsAdmitted = false;
        request.PeerPending = false;
        request.Sequence = 0;
        _effects.Complete(request, 0);
        BoundUnstable();
        if (Canary.Breaks(BrokenRule.AheadRangeGivenUp))
        {
            GiveUpRange(ahead);
        }
    }

    private void AheadAcknowledged(AheadWrite ahead)
    {
        _logs[ahead.Volume].Leave(ahead.FirstExtent, ahead.LastExtent, ++_touch);
        GiveUpRange(ahead);
        CompleteReadsAhead(ahead);
        _ahead.Return(ahead);
    }

    private void GiveUpRange(AheadWrite ahead)
    {
        if (ahead.HoldsRange)
        {
            ahead.HoldsRange = false;
            ReleaseRange(ahead);
        }
    }

    /// <summary>
    /// The link is lost: the ranges are in the dirty map already. Should the peer take over, its copy lacks what it has
    /// not received (in mode memory it has received all of it).
    /// </summary>
    private void ForgetAhead()
    {
        _unconfirmedBytes += _settings.Mode == ReplicationMode.Async ? _ahead.Bytes : 0;
        while (_ahead.Oldest is { } oldest)
        {
            _ahead.Remove(oldest.Sequence);
            AheadAcknowledged(oldest);
        }
    }

    /// <summary>
    /// This node's copy does not count any more; the peer's, which does, may lack what clients were told in mode async.
    /// </summary>
    private void TellOfOverwritten()
    {
        if (_unconfirmedBytes > 0)
        {
            _effects.Raise("writes-lost", $"{_settings.Resource}: the copy of {_settings.PeerName} counts; it may lack up to "
                + $"{_unconfirmedBytes} bytes of writes, not flushed, that this node had answered in mode async");
            _unconfirmedBytes = 0;
        }
    }

    /// <summary>This node goes on from its own copy without the peer, which was the one that answered clients.</summary>
    private void TellWhatMayBeMissing()
    {
        string? lacks = _settings.Mode switch
        {
            ReplicationMode.Async => $"at most {_settings.AheadBytes} bytes, and what was written within "
                + $"{_settings.AheadNs / 1_000_000} ms, before the link was lost",
            ReplicationMode.Memory when !_hasJoined => "what this node had in memory when its daemon ended",
            _ => null,
        };
        if (lacks is not null)
        {
            _effects.Raise("writes-may-be-lost", $"{_settings.Resource}: mode {_settings.Mode.InWords()}: writes that "
                + $"{_settings.PeerName} answered and did not flush may be missing here: {lacks}");
        }
    }
}
