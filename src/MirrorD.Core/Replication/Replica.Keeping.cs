using MirrorD.Core.Handshake;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// A Standby whose Primary has no disk keeps the only copy (safety contract, section 2, rule 10). Before the Primary may
/// go on, this node stores a proof (the other copy is durably out of the count, or the arbiter granted the session) and then
/// a new generation; from then on each write is in the activity log before it is applied, and in the dirty
/// map before it leaves the log: the other disk lacks it.
/// </summary>
public sealed partial class Replica
{
    private readonly Queue<IncomingWrite> _keptAwaitingRoom = new();
    private readonly Queue<IncomingWrite>[] _keptAwaitingLog;
    private bool _keeps;
    private int _keepingClaimLink = -1;

    /// <summary>This Standby has the only copy, and its Primary, without disk, goes on with it.</summary>
    public bool KeepsOnlyCopy => _keeps;

    /// <summary>The connected peer uses its disks no more.</summary>
    private void PeerLostDisk(PeerMessage.DiskLost lost)
    {
        _effects.Raise("peer-disk-failed", $"{_settings.Resource}: {_settings.PeerName} uses its disk no more; that its copy "
            + $"does not count is {(lost.IsStored ? "" : "not ")}stored there");
        if (Role == Role.Primary)
        {
            // Its last word: with its copy out of the count this node goes on alone at once.
            _goodbye = lost.IsStored ? (lost.Session, lost.Current) : null;
        }
        else if (lost.IsStored)
        {
            Keep(ProofKind.PeerOutdated);
        }
        else if (_settings.HasArbiter)
        {
            _keepingClaimLink = _link;
            _claimRetryAtNs = 0;
            AskArbiterToKeep();
        }
        else
        {
            _effects.SendMessage(new PeerMessage.DiskLossNoted(Generation.None));
        }
    }

    private void AskArbiterToKeep()
    {
        if (_keepingClaimLink == _link && IsLinked && !_claiming && Failure is null && _effects.NowNs >= _claimRetryAtNs)
        {
            Claim();
        }
    }

    private void KeepingAnswered(ClaimAnswer answer)
    {
        switch (answer)
        {
            case ClaimAnswer.Granted:
                _keepingClaimLink = -1;
                Keep(ProofKind.ArbiterGrant);
                break;
            case ClaimAnswer.Refused:
                _keepingClaimLink = -1;
                _effects.SendMessage(new PeerMessage.DiskLossNoted(Generation.None));
                break;
            case ClaimAnswer.Unreachable:
                _claimRetryAtNs = _effects.NowNs + ClaimRetryNs;
                break;
        }
    }

    /// <summary>The proof, then the generation (rule 8); only then the peer may go on.</summary>
    private void Keep(ProofKind kind)
    {
        int link = _link;
        bool MayKeep(Superblock s) =>
            link == _link && Role == Role.Standby && s.DiskState == DiskState.UpToDate;
        Store(
            s => !MayKeep(s) ? s : GenerationRules.LevelPromotions(
                s with { Proof = new Proof(kind, s.Session), PeerDiskState = DiskState.Failed }, _peerPromotions),
            () =>
            {
                if (link == _link)
                {
                    StoreKeptGeneration(link, HasProof && MayKeep(State));
                }
            });
    }

    private void StoreKeptGeneration(int link, bool mayKeep)
    {
        var fresh = new Generation(_effects.NewIdentifier());
        bool applied = false;
        bool skips = Canary.Breaks(BrokenRule.KeptWithoutGeneration);
        Store(
            s =>
            {
                applied = mayKeep && link == _link && Role == Role.Standby;
                return applied && !skips ? GenerationRules.StartNew(s, fresh) : s;
            },
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                _keeps = applied;
                _effects.SendMessage(new PeerMessage.DiskLossNoted(applied ? State.Current : Generation.None));
                if (applied)
                {
                    _effects.Raise("keeps-only-copy", $"{_settings.Resource}: {State.Proof.Kind}: this node has the only copy, "
                        + $"for the Primary {_settings.PeerName}");
                }
            });
    }

    /// <summary>The Primary without disk is back, and this is still the copy that it went on with.</summary>
    private void KeepAgain()
    {
        Invariant.Require(HasProof && GenerationRules.HoldsOwnGeneration(State), "the only copy is entitled and marked");
        Phase = LinkPhase.Joined;
        _keeps = true;
        _effects.SendMessage(new PeerMessage.DiskLossNoted(State.Current));
    }

    private void EnterKept(IncomingWrite write)
    {
        ActivityEntry entry = _logs[write.Volume].Enter(write.FirstExtent, write.LastExtent, out long ticket);
        if (entry == ActivityEntry.Full)
        {
            _keptAwaitingRoom.Enqueue(write);
            WantCheckpoint();
            return;
        }

        write.InLog = true;
        if (entry == ActivityEntry.Active)
        {
            ApplyKept(write);
        }
        else
        {
            write.LogTicket = ticket;
            _keptAwaitingLog[write.Volume].Enqueue(write);
        }

        PumpLog(write.Volume);
    }

    private void ApplyKept(IncomingWrite write)
    {
        _maps[write.Volume].MarkRange(write.Offset, write.LengthBytes);
        _effects.ApplyIncoming(write);
    }

    private void IssueKeptWrites(int volume)
    {
        Queue<IncomingWrite> waiting = _keptAwaitingLog[volume];
        while (waiting.TryPeek(out IncomingWrite? write) && write.LogTicket <= _logs[volume].DurableThrough)
        {
            waiting.Dequeue();
            ApplyKept(write);
        }
    }

    private void LeaveKept(IncomingWrite write)
    {
        if (write.InLog)
        {
            write.InLog = false;
            _logs[write.Volume].Leave(write.FirstExtent, write.LastExtent, ++_touch);
        }
    }

    /// <summary>What still waits for the log is not begun any more: its sender is gone, or this disk is.</summary>
    private void DropKeptWrites()
    {
        while (_keptAwaitingRoom.TryDequeue(out IncomingWrite? write))
        {
            Drop(write);
        }

        foreach (Queue<IncomingWrite> queue in _keptAwaitingLog)
        {
            while (queue.TryDequeue(out IncomingWrite? write))
            {
                Drop(write);
            }
        }

        void Drop(IncomingWrite write)
        {
            LeaveKept(write);
            _applying--;
            _busy--;
            _effects.DropIncoming(write);
        }
    }
}
