using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Replication;

/// <summary>Answer of the arbiter to a claim.</summary>
public enum ClaimAnswer
{
    /// <summary>The session's key names this node.</summary>
    Granted,
    /// <summary>The session's key names the other node.</summary>
    Refused,
    /// <summary>Unreachable or unclear.</summary>
    Unreachable,
}

/// <summary>How a node comes to its right to go on alone, and loses it: safety contract, sections 2 (rule 8) and 5.</summary>
public sealed partial class Replica
{
    private const long ClaimRetryNs = 1_000_000_000;

    private int _link;
    private bool _generationStarted;
    private bool _startingGeneration;
    private bool _claiming;
    private int _claimLink;
    private long _claimRetryAtNs;
    private bool _arbiterUnreachable;
    private bool _seekRightWhenStored;
    private bool _storingProof;
    private (SessionId Session, Generation Current)? _goodbye;

    /// <summary>The link is gone; the engine has closed it, and nothing more arrives from it.</summary>
    /// <param name="reason">For the operator.</param>
    /// <remarks>
    /// The peer may notice later than this node, and until then it may serve reads, unless it has said goodbye. That its
    /// side of the connection is closed says nothing: a third one on that network can send such packets, too.
    /// </remarks>
    public void LinkLost(string reason)
    {
        if (!IsLinked)
        {
            return;
        }

        LinkPhase was = Phase;
        Phase = LinkPhase.Down;
        _linkLostAtNs = _effects.NowNs;
        _peerMayServeUntilNs = PeerSaidGoodbye ? 0 : _effects.NowNs + _settings.LinkTimeoutNs + Limits.LossNoticeNs;
        _peerRoleAtLoss = PeerRole ?? _peerRoleAtLoss;

        // From a Primary the peer may take over: what makes this node Standby later does not undo that.
        _isEligible &= Role == Role.Standby;
        _peerLastRole = PeerRole ?? _peerLastRole;
        PeerRole = null;
        NoteReport();
        _link++;
        _promotingAlone = false;
        ForgetEvidence();
        _whenQuiet.Clear();
        ForgetHandshake();
        if (Canary.Breaks(BrokenRule.InFlightDroppedAtLinkLoss))
        {
            _unstable.Clear();
        }

        _unstable.MoveTo(_maps);
        _sequence = 0;
        _durable = 0;
        _peerHasFlushed = false;
        if (!_isRepetition)
        {
            _effects.Raise("link-lost", $"{_settings.Resource}: link to {_settings.PeerName} lost while {was}: {reason}");
        }

        VoidPeerLegs();
        VerifyLinkLost();
        AbortCopies();
        ForgetIncoming();
        if (PeerSaidGoodbye && !HasProof)
        {
            StoreProof(ProofKind.PeerOutdated, State.Session);
        }

        WatchInvalidation();
        GrowthAfterLinkLoss();
        RoleCommandsAfterLinkLoss();
        DiskLossAfterLinkLoss();
        DecideFailover();
        _effects.Changed();
        Settle();
    }

    /// <summary>The arbiter answered a claim of this session.</summary>
    public void ArbiterAnswered(SessionId session, ClaimAnswer answer)
    {
        _claiming = false;
        _arbiterUnreachable = answer == ClaimAnswer.Unreachable;
        if (_keepingClaimLink == _link && IsLinked && State.Session == session && Failure is null)
        {
            KeepingAnswered(answer);
            Settle();
            return;
        }

        if (HasProof || Failure is not null || IsDiskless)
        {
            // Decided without the arbiter meanwhile: a node that holds a proof does not claim.
            return;
        }

        if (IsLinked || _claimLink != _link || State.Session != session || !FailoverTable.MayServe(State.DiskState))
        {
            // The answer is to a question of the past: the present state asks anew.
            SeekRight();
            if (!IsLinked)
            {
                GoOnWithRoleCommand();
            }

            Settle();
            return;
        }

        switch (answer)
        {
            case ClaimAnswer.Granted when Role == Role.Primary ? _storingStandby : _promotion is null:
                // The role was given up meanwhile. A proof that nobody serves under would bind the peer's hands.
                break;
            case ClaimAnswer.Granted:
                StoreProof(ProofKind.ArbiterGrant, session);
                break;
            case ClaimAnswer.Refused:
                RefusedByArbiter(session);
                break;
            case ClaimAnswer.Unreachable:
                _claimRetryAtNs = _effects.NowNs + ClaimRetryNs;
                if (!_isAutomatic)
                {
                    FinishPromotion(false, "the arbiter can't be reached",
                        $"make the arbiter reachable, or: mirrorctl promote {_settings.Resource} --force");
                }

                break;
        }

        _effects.Changed();
        Settle();
    }

    /// <summary>Time passes: about ten times a second.</summary>
    public void Tick()
    {
        long now = _effects.NowNs;
        if (now >= _nextCheckpointNs)
        {
            _nextCheckpointNs = now + 1_000_000_000;
            if ((Path != WritePath.Closed || _keeps) && !IsDiskless && (!_unstable.IsEmpty || HasChangedPages))
            {
                WantCheckpoint();
            }
        }

        NoteStandstill();
        _lastTickNs = now;
        DecideFailover();
        TakeRoleAtJoin();
        WatchProduction();
        if (!IsLinked)
        {
            GoOnWithRoleCommand();
        }

        WatchJoin();
        WatchFarewell();
        WatchDiscard();
        WatchLeaving();
        WatchGrowth();
        AskArbiterToKeep();
        PumpCopies();
        NoteVerifyLoad();
        PumpVerify();
        Settle();
    }

    /// <summary>A primary without link looks for the right to go on alone; until then its requests are held.</summary>
    private void SeekRight()
    {
        if (IsLinked || Role != Role.Primary || Failure is not null || Path == WritePath.Alone || _storingStandby)
        {
            return;
        }

        if (IsDiskless)
        {
            HoldWithoutDisk();
            return;
        }

        if (_isStoring)
        {
            // What is being stored may void the proof (J4), or be one.
            _seekRightWhenStored = true;
            return;
        }

        if (HasProof)
        {
            EnterAlone();
        }
        else if (PeerSaidGoodbye)
        {
            // Being stored since the link was lost.
        }
        else if (!_storingProof)
        {
            if (Canary.Breaks(BrokenRule.GenerationBeforeProof) && !GenerationRules.HoldsOwnGeneration(State))
            {
                StartGeneration();
            }

            FollowAsPrimary();
        }
    }

    private void SeekRightWhenStored()
    {
        if (_seekRightWhenStored && !_isStoring)
        {
            _seekRightWhenStored = false;
            SeekRight();
        }
    }

    private void Claim()
    {
        _claiming = true;
        _claimLink = _link;
        _effects.ClaimSession(State.Session);
    }

    /// <summary>The peer stored Outdated for this session before it stopped, and the link has been down since.</summary>
    private bool PeerSaidGoodbye =>
        _goodbye is { } goodbye && goodbye.Session == State.Session && IsKnown(goodbye.Current)
        && State.DiskState == DiskState.UpToDate && !IsLinked;

    private bool IsKnown(Generation generation) =>
        generation.Matches(State.Current) || generation.Matches(State.Bitmap) || State.History.Contains(generation);

    private void StoreProof(ProofKind kind, SessionId session)
    {
        int link = _link;
        _storingProof = true;
        Store(
            s => s.Session == session && link == _link && !IsLinked && FailoverTable.MayServe(s.DiskState)
                ? s with { Proof = new Proof(kind, session) } : s,
            () =>
            {
                _storingProof = false;
                if (IsLinked || !HasProof)
                {
                    FinishPromotion(false, "the link came back while the proof was stored", "mirrorctl status");
                    return;
                }

                _effects.Raise("proof-stored", $"{_settings.Resource}: {kind} for session {session}");
                if (Role == Role.Primary)
                {
                    EnterAlone();
                }
                else if (_promotion is not null)
                {
                    PromoteAlone(overrides: false);
                }
            });
    }

    private void EnterAlone()
    {
        Invariant.Require(HasProof, "going on alone needs a proof");
        if (Path == WritePath.Alone || _demotion is not null)
        {
            // A node that is being drained takes up nothing new; it ends as Standby with the proof stored.
            return;
        }

        _generationStarted = GenerationRules.HoldsOwnGeneration(State)
            || Canary.Breaks(BrokenRule.AcknowledgedBeforeGeneration);
        LastFailover = null;
        _effects.Raise("alone", $"{_settings.Resource}: going on without {_settings.PeerName}");
        Resume(WritePath.Alone);
    }

    private void StartGeneration()
    {
        if (_startingGeneration)
        {
            return;
        }

        _startingGeneration = true;
        var generation = new Generation(_effects.NewIdentifier());
        Store(
            s => (Path == WritePath.Alone && HasProof) || Canary.Breaks(BrokenRule.GenerationBeforeProof)
                ? GenerationRules.StartNew(s, generation) : s,
            () =>
            {
                _startingGeneration = false;
                if (Path == WritePath.Alone && HasProof && GenerationRules.HoldsOwnGeneration(State))
                {
                    _generationStarted = true;
                    Resume(WritePath.Alone);
                }
            });
    }

    private void RefusedByArbiter(SessionId session)
    {
        Store(
            s => s.Session == session && !IsLinked && !GenerationRules.HasValidProof(s)
                ? s with { DiskState = DiskState.Outdated } : s,
            () =>
            {
                string reason = $"the arbiter has granted the session to {_settings.PeerName}";
                _isEligible = false;
                if (State.DiskState != DiskState.Outdated)
                {
                    return;
                }

                _effects.Raise("outdated", $"{_settings.Resource}: {reason}: this copy is Outdated until it joins again");
                FinishPromotion(false, reason,
                    $"leave {_settings.PeerName} serving; last resort, if it is lost for good: "
                    + $"mirrorctl promote {_settings.Resource} --force");
                if (Role == Role.Primary)
                {
                    // Also when a connection began meanwhile: it waited for this store, and hears of a Standby.
                    LoseRight(reason);
                }
            });
    }

    /// <summary>
    /// The right to serve is surely gone: addresses first (the host hears of it before anything fails), then held
    /// and later requests fail. WasPrimary stays stored: this was no flushed demotion.
    /// </summary>
    private void LoseRight(string reason)
    {
        _isEligible = false;
        _addressesWithdrawn = false;
        _effects.RoleChanged(Role.Standby, reason);
        Role = Role.Standby;
        Path = WritePath.Closed;
        CollectHeld();
        FailHeld();

        // What was served until now is told as right-lost, once, by the steps that release it.
        _effects.Raise("role-lost", $"{_settings.Resource}: {reason}; requests fail, this node is Standby now");
        _effects.Changed();
    }

    /// <summary>Acknowledgements of the lost link count for nothing: what waits for one is decided anew.</summary>
    private void VoidPeerLegs()
    {
        if (Role == Role.Primary)
        {
            Suspend();
        }
        else
        {
            HoldFlushes();
        }

        ForgetAhead();
        _sent.Clear();
        foreach (Volumes.VolumeRequest request in _issued.ToArray())
        {
            Withdraw(request);
            request.Sequence = 0;
            request.PeerPending = false;
            request.PeerDone = false;
            FinishOrWait(request);
        }
    }
}
