using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// The local disks of a Primary are lost (safety contract, section 2, rule 10). States: attached → losing (requests are
/// held; it is stored here that this copy does not count, and the peer is told) → diskless (the peer has durably noted
/// proof, generation and what changes from now on: everything goes through it). Without link a diskless Primary holds its
/// requests: its peer, who holds a proof, may take over. It goes on only with the copy that it went on with, unserved
/// and without a power cut since; else its right is lost. Without a joined peer that is UpToDate, or when the peer can't
/// be entitled, nothing is served any more (<see cref="Fail"/>).
/// </summary>
public sealed partial class Replica
{
    private string? _diskLoss;
    private bool _saysFarewell;
    private long _farewellUntilNs;
    private Generation _noted;
    private Generation _followed;
    private BootId _followedBoot;
    private CommandAnswer? _detach;

    /// <summary>Why the local disks are not used although requests may be served; null when they are.</summary>
    public string? DiskLoss => _diskLoss;

    /// <summary>The disks are out of use by an operator's command.</summary>
    public bool IsDetached { get; private set; }

    /// <summary>State of this node's copy as others are told: the stored one, unless its disks are out of use.</summary>
    public DiskState DiskState => Failure is null && !IsDiskless ? State.DiskState
        : IsDetached ? DiskState.Diskless : DiskState.Failed;

    /// <summary>It is durable on every disk of this node that its copy does not count.</summary>
    public bool IsFailureStored => _failureIsStored;

    private bool IsDiskless => _diskLoss is not null;

    /// <summary>Takes the disks of this node out of use, without loss: its copy is then an old, whole one.</summary>
    public void Detach(CommandAnswer answer, string reason = "detached by command")
    {
        if (RefusalOfDetach() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        _detach = answer;
        if (Role == Role.Primary)
        {
            // Both copies are equal and flushed when this one goes.
            Suspend();
            WhenQuiet(() => AfterCheckpoint(DetachPrimary));
        }
        else
        {
            IsDetached = true;
            Fail(reason);
        }

        Settle();
    }

    /// <summary>Why <see cref="Detach"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfDetach() =>
        Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl attach {_settings.Resource}")
        : _detach is not null || HasCommand || KeepsCopy
            ? ("another change is under way", "mirrorctl status")
        : Role == Role.Primary ? Phase == LinkPhase.Joined && State.DiskState == DiskState.UpToDate ? null
            : ("this is the only copy that is up to date", "wait until mirrorctl status says Joined")
        : HasProof && State.DiskState == DiskState.UpToDate
            ? ($"{_settings.PeerName} may not have what this copy has", "wait until mirrorctl status says Joined")
        : null;

    /// <summary>Why the disks can't be taken into use again as things are; null when they can.</summary>
    public (string Message, string? Remedy)? RefusalOfAttach() =>
        Failure is null && !IsDiskless ? ("the disks are attached", null)
        : Role == Role.Primary ? ("a Primary can't be brought up to date",
            Failure is null ? $"mirrorctl switchover {_settings.Resource}, then attach"
                : "restart mirrord on this node: it begins as a Standby")
        : _busy > 0 || _isStoring ? ("an earlier request to the disks has not ended yet", "try again")
        : null;

    /// <summary>Requests that are held because the only copy is elsewhere can't be let go by force here.</summary>
    private (string Message, string? Remedy)? RefusalWithoutDisk() =>
        !IsDiskless || Path == WritePath.Remote ? null
        : ($"this node has no disk, and {_settings.PeerName} has the only copy",
            $"bring {_settings.PeerName} back; or, there: mirrorctl promote {_settings.Resource}");

    private void DetachPrimary()
    {
        if (_detach is null || Role != Role.Primary || Phase != LinkPhase.Joined || Failure is not null || IsDiskless)
        {
            FinishDetach(false, "the state changed meanwhile");
            return;
        }

        IsDetached = true;
        LoseDisks("detached by command");
    }

    private void FinishDetach(bool succeeded, string message)
    {
        CommandAnswer? answer = _detach;
        _detach = null;
        answer?.Invoke(succeeded, message, succeeded ? null : "mirrorctl status");
    }

    /// <summary>A disk of this node, or its metadata, failed.</summary>
    private void DiskFailed(string reason)
    {
        if (Failure is not null || IsDiskless)
        {
            return;
        }

        if (Role == Role.Primary && Phase == LinkPhase.Joined && !_storingStandby && State.DiskState == DiskState.UpToDate)
        {
            LoseDisks(reason);
        }
        else
        {
            Fail(reason);
        }
    }

    private void LoseDisks(string reason)
    {
        _diskLoss = reason;
        _effects.Raise(IsDetached ? "detached" : "disk-failed",
            $"{_settings.Resource}: {reason}; requests go to the disk of {_settings.PeerName}");
        FinishDemotion(false, reason, $"mirrorctl switchover {_settings.Resource}");
        if (!IsDetached)
        {
            FinishDetach(false, reason);
        }

        FailGrowth(reason);
        FinishDisconnect(false, reason);
        _whenQuiet.Clear();
        _stores.Clear();
        _emptyingLogs = 0;
        Suspend();
        StoreFailure();
    }

    /// <summary>It is known whether it could be stored that this copy does not count.</summary>
    private void FailureStored()
    {
        if (IsDiskless && Failure is null && Phase == LinkPhase.Joined)
        {
            _effects.SendMessage(new PeerMessage.DiskLost(
                _failureIsStored || Canary.Breaks(BrokenRule.LossNotStored), State.Session, State.Current));
        }
        else if (_saysFarewell)
        {
            _saysFarewell = false;
            if (_failureIsStored)
            {
                _effects.SendMessage(new PeerMessage.DiskLost(true, State.Session, State.Current));
            }

            _effects.CloseLink(Failure!, operatorNeeded: true);
        }

        if (Failure is not null && IsDetached)
        {
            FinishDetach(true, "the disks are out of use");
        }
    }

    /// <summary>A disk that can't even fail: the peer's requests don't wait for its word any longer.</summary>
    private void WatchFarewell()
    {
        if (_saysFarewell && _effects.NowNs >= _farewellUntilNs)
        {
            _saysFarewell = false;
            _effects.CloseLink(Failure!, operatorNeeded: true);
        }
    }

    /// <summary>The peer has noted that its copy is the only one; or it can't be entitled.</summary>
    private void LossNoted(Generation current)
    {
        if (current.IsNone || (!_followed.IsNone && current != _followed))
        {
            Fail($"{_diskLoss}; and nothing lets {_settings.PeerName} go on with the only copy");
            return;
        }

        Phase = LinkPhase.Joined;
        _noted = current;
        GoOnThroughPeer();
    }

    /// <summary>
    /// What clients were told ahead of the peer is on its way to the only copy: nothing is read from there before it
    /// has arrived. If the link is lost first, this node does not go on with a copy that lacks it.
    /// </summary>
    private void GoOnThroughPeer()
    {
        if (_noted.IsNone || _ahead.Count > 0)
        {
            return;
        }

        _followed = _noted;
        _noted = Generation.None;
        _followedBoot = _peerFacts!.Boot;
        if (_demotion is not null)
        {
            // A node that is being drained takes up nothing new.
            return;
        }

        _effects.Raise("diskless", $"{_settings.Resource}: going on with the disk of {_settings.PeerName}");
        Resume(WritePath.Remote);
        FinishDetach(true, $"the disks are out of use; requests go to the disk of {_settings.PeerName}");
    }

    /// <summary>What a Primary without disk says of itself: it stands for the copy that it went on with.</summary>
    private HandshakeFacts WithoutDisk(HandshakeFacts facts) => facts with
    {
        DiskState = DiskState,
        Current = _followed,
        Bitmap = Generation.None,
        PeerBoot = _followedBoot,
        HasProof = false,
    };

    private void DiskLossAfterLinkLoss()
    {
        _keeps = false;
        _keepingClaimLink = -1;
        _saysFarewell = false;
        _noted = Generation.None;
        if (!IsDiskless && !IsDetached)
        {
            FinishDetach(false, "the link was lost");
        }

        if (IsDiskless || Failure is not null)
        {
            // Nothing of this node's copy will be sent again.
            TellOfOverwritten();
        }

        if (!IsDiskless || Failure is not null)
        {
            return;
        }

        if (Role == Role.Standby)
        {
            Failure = _diskLoss;
        }
        else if (_followed.IsNone)
        {
            // The peer may have noted it, and takes over, or not: nothing more is known here.
            Fail($"{_diskLoss}; and the link to {_settings.PeerName} was lost before it had noted that");
        }
    }

    /// <summary>Held, neither failed nor completed: the peer may take over, and finds nobody at the addresses.</summary>
    private void HoldWithoutDisk()
    {
        if (!_addressesWithdrawn)
        {
            _addressesWithdrawn = true;
            _effects.WantAddresses(false, $"this node has no disk, and {_settings.PeerName} is not connected");
        }
    }

    /// <summary>The peer's copy is not the one any more that this node went on with: nothing of it can be resumed.</summary>
    private void GiveUpWithoutDisk(HandshakeDecision decision)
    {
        if (IsDiskless && Role == Role.Primary && decision.Case == HandshakeCase.NoDisk)
        {
            LoseRight($"this node has no disk, and {_settings.PeerName} has served, or lost power, since");
            Failure = _diskLoss;
        }
    }

    /// <summary>After the role was given up: a Standby without disk has nothing to say.</summary>
    private void EndWithoutDisk()
    {
        if (IsDiskless && Role == Role.Standby)
        {
            Failure = _diskLoss;
            if (IsLinked)
            {
                _effects.CloseLink(_diskLoss!, operatorNeeded: true);
            }
        }
    }

    /// <summary>
    /// The role ends as far as the lost disk still takes it: what it does not take stays, which keeps what waits here from
    /// ever landing on the peer's data.
    /// </summary>
    private void StoreStandbyWithoutDisk(Action then)
    {
        if (!_failureIsStored)
        {
            then();
            return;
        }

        _isStoring = true;
        _busy++;
        Superblock[] next = Array.ConvertAll(_stored, s => s with { WasPrimary = false, Sequence = s.Sequence + 1 });
        _effects.StoreSuperblocks(next, error =>
        {
            _busy--;
            _isStoring = false;
            _stored = error == 0 ? next : _stored;
            then();
            Settle();
        });
    }

    private NamedState DescribeDiskless()
    {
        string peer = _settings.PeerName;
        string resource = _settings.Resource;
        string back = $"mirrorctl switchover {resource}; then, on this node: mirrorctl attach {resource}";
        const string held = "requests are held, nothing is lost.";
        if (Path == WritePath.Remote)
        {
            return new NamedState("Diskless", $"{_diskLoss}. Requests go to the disk of {peer}, the only copy.", "operator",
                IsDetached ? back : $"replace the disk; {back}");
        }

        if (!IsLinked)
        {
            return new NamedState("FrozenNoDisk", $"{_diskLoss}; {peer} has the only copy and is not connected; {held}",
                "peer", $"bring {peer} back; or, there: mirrorctl promote {resource}");
        }

        return _settings.HasArbiter && !_failureIsStored
            ? new NamedState("FrozenNoArbiter",
                $"{_diskLoss}; {peer} has the only copy and asks the arbiter for the right to it; {held}", "arbiter",
                $"make the arbiter reachable; last resort: stop mirrord here, and on {peer}: mirrorctl promote {resource} "
                + "--force")
            : new NamedState("FrozenNoDisk", $"{_diskLoss}; {peer} has the only copy and is being told; {held}",
                "mirrord", null);
    }
}
