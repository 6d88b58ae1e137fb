using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Replication;

/// <summary>
/// An operator disconnects this node, for as long as it says so: stored, and over restarts. A Standby stores Outdated first,
/// and its goodbye is the Primary's proof (safety contract, section 5, proof 1): nothing freezes. A Primary asks its Standby
/// for the same, and ends the link only with that proof stored; without one it stays connected. Who is disconnected
/// takes no link up and nothing over by itself.
/// </summary>
public sealed partial class Replica
{
    private CommandAnswer? _disconnect;
    private CommandAnswer? _connect;
    private long _disconnectUntilNs;
    private bool _storingDisconnect;
    private bool _isPeerDisconnectTold;
    private int _askedToLeaveLink = -1;
    private int _unansweredLeaveLink = -1;
    private int _saidGoodbyeLink = -1;
    private long _saidGoodbyeUntilNs;

    /// <summary>An operator has disconnected this node.</summary>
    public bool IsDisconnected => State.Disconnected;

    /// <summary>The peer says that an operator has disconnected it: it need not be called.</summary>
    /// <remarks>Asked in each turn: what is seldom true is looked at first.</remarks>
    public bool IsPeerDisconnected => _paths is { Report.IsDisconnected: true, IsHeard: true };

    /// <summary>Ends the link as planned, until <see cref="Connect"/>.</summary>
    public void Disconnect(CommandAnswer answer)
    {
        if (RefusalOfDisconnect() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        if (State.Disconnected)
        {
            answer(true, $"{_settings.NodeName} was disconnected before", null);
            return;
        }

        _disconnect = answer;
        _disconnectUntilNs = _effects.NowNs + Limits.LeavePatienceNs;
        GoOnWithDisconnect();
        Settle();
    }

    /// <summary>The link may be taken up again.</summary>
    public void Connect(CommandAnswer answer)
    {
        string connect = $"mirrorctl connect {_settings.Resource}";
        if (Failure is not null || IsDiskless)
        {
            answer(false, "no disk is attached: that can't be stored", $"mirrorctl attach {_settings.Resource}");
        }
        else if (_disconnect is not null || _connect is not null)
        {
            answer(false, "another change is under way", "mirrorctl status");
        }
        else if (State.Disconnected)
        {
            _connect = answer;
            Store(s => s with { Disconnected = false }, () =>
            {
                _effects.Raise("connecting", $"{_settings.Resource}: an operator connects this node again");
                FinishConnect(true, $"{_settings.NodeName} connects with {_settings.PeerName} again; what differs is copied");
            });
        }
        else if (!IsLinked && IsPeerDisconnected)
        {
            answer(false, $"not {_settings.NodeName} was disconnected but {_settings.PeerName}",
                $"on {_settings.PeerName}: {connect}");
        }
        else
        {
            answer(true, $"{_settings.NodeName} was not disconnected", null);
        }
    }

    private (string Message, string? Remedy)? RefusalOfDisconnect() =>
        Failure is not null || IsDiskless
            ? ("no disk is attached: that can't be stored", $"mirrorctl attach {_settings.Resource}")
        : HasCommand || KeepsCopy || _detach is not null || _discard is not null || _connect is not null
            ? ("another change is under way", "mirrorctl status")
        : IsOnlyCopyOfPrimary ? ($"the Primary {_settings.PeerName} has no disk and goes on with this one",
            $"on {_settings.PeerName}: mirrorctl switchover {_settings.Resource}")
        : Role == Role.Primary && !IsLinked && Path != WritePath.Alone
            ? ($"requests wait for {_settings.PeerName}: this node has no right to go on alone yet",
                $"mirrorctl explain {_settings.Resource}")
        : null;

    private bool IsLeaving => _disconnect is not null || _invalidation is not null;

    /// <summary>The role, the link or the copy of this node is about to change, by command or by rule.</summary>
    private bool HasCommand => _promotion is not null || _demotion is not null || _stopping || IsLeaving;

    private bool IsOnlyCopyOfPrimary => Role == Role.Standby && Phase == LinkPhase.Joined && HasProof;

    /// <summary>Looks what a disconnect waits for; called whenever something of that may have changed.</summary>
    private void GoOnWithDisconnect()
    {
        if (_disconnect is null || _storingDisconnect)
        {
            return;
        }

        if (_effects.NowNs >= _disconnectUntilNs)
        {
            FinishDisconnect(false, Role == Role.Primary
                ? $"nothing proves that {_settings.PeerName} would not serve: this node stays connected"
                : "the nodes did not come to a state in which they may part");
        }
        else if (Role == Role.Primary && Phase == LinkPhase.Joined && !HasGoodbyeOfJoined)
        {
            if (_askedToLeaveLink != _link)
            {
                _askedToLeaveLink = _link;
                _effects.SendMessage(new PeerMessage.LeaveAsk());
            }
        }
        else if (MayLeave(State))
        {
            StoreDisconnected();
        }
    }

    /// <summary>
    /// The Standby has stored Outdated for a disconnect that was given up since: it stands by for nothing until the next join.
    /// </summary>
    private void JoinAnewAfterLateGoodbye()
    {
        if (HasGoodbyeOfJoined && Role == Role.Primary && _unansweredLeaveLink == _link && _disconnect is null
            && !_storingDisconnect && !State.Disconnected)
        {
            _effects.CloseLink($"{_settings.PeerName} has left for a disconnect that was given up: the nodes join anew",
                operatorNeeded: false);
        }
    }

    /// <summary>The peer, still joined, has stored Outdated for this session and said so.</summary>
    private bool HasGoodbyeOfJoined => Phase == LinkPhase.Joined && _goodbye is { } goodbye
        && goodbye.Session == State.Session && IsKnown(goodbye.Current) && State.DiskState == DiskState.UpToDate;

    /// <summary>
    /// Nothing is frozen when the link ends now: the peer has its proof, or this node has its own. A join that is about to
    /// be stored on both sides is waited for: it voids both.
    /// </summary>
    private bool MayLeave(Superblock stored) => Phase switch
    {
        LinkPhase.Down => Role == Role.Standby || Handshake.GenerationRules.HasValidProof(stored),
        LinkPhase.Joining => false,
        LinkPhase.Source => !_committing && stored.PeerExcluded,
        LinkPhase.Target => _step < JoinStep.Committed,
        LinkPhase.Joined => Role == Role.Primary ? HasGoodbyeOfJoined : !Handshake.GenerationRules.HasValidProof(stored),
    };

    private void StoreDisconnected()
    {
        int link = _link;
        LinkPhase phase = Phase;
        Role role = Role;
        _storingDisconnect = true;
        bool isEarly = role == Role.Standby && Canary.Breaks(BrokenRule.DisconnectedBeforeOutdated);
        if (isEarly && phase == LinkPhase.Joined)
        {
            SayGoodbye();
            _effects.CloseLink("disconnected", operatorNeeded: false);
        }

        Store(
            s => (link != _link && !isEarly) || Role != role || !MayLeave(s) ? s
                : phase != LinkPhase.Joined ? s with { Disconnected = true }
                : role == Role.Standby ? s with { Disconnected = true, DiskState = Outdated(s) }
                : s with { Disconnected = true, Proof = new Proof(ProofKind.PeerOutdated, s.Session) },
            () =>
            {
                _storingDisconnect = false;
                if (State.Disconnected)
                {
                    Leave(saysGoodbye: link == _link && phase == LinkPhase.Joined && role == Role.Standby);
                }
            });
    }

    private static DiskState Outdated(Superblock stored) =>
        stored.DiskState > DiskState.Outdated ? DiskState.Outdated : stored.DiskState;

    private void Leave(bool saysGoodbye)
    {
        _isEligible = false;
        _effects.Raise("disconnected", $"{_settings.Resource}: an operator has disconnected {_settings.NodeName} from "
            + $"{_settings.PeerName}; this copy is {State.DiskState}");
        if (saysGoodbye)
        {
            SayGoodbye();
        }

        if (IsLinked)
        {
            _effects.CloseLink("disconnected", operatorNeeded: false);
        }

        FinishDisconnect(true, Role == Role.Primary
            ? $"disconnected; this node goes on alone until mirrorctl connect {_settings.Resource}"
            : $"disconnected until mirrorctl connect {_settings.Resource}; this copy is {State.DiskState}");
    }

    /// <summary>Over every path too: the link may be gone, and its loss then looks like a crash.</summary>
    private void SayGoodbye(bool isOutdated = true)
    {
        _effects.SendControl(new ControlMessage.Goodbye(isOutdated, State.Session, State.Current));
        if (IsLinked)
        {
            _effects.SendMessage(new PeerMessage.Goodbye(isOutdated, State.Session, State.Current));
        }
    }

    /// <summary>The Primary is to be disconnected, and asks for its proof. It ends the link.</summary>
    private void PeerAsksToLeave()
    {
        if (HasCommand || HasProof)
        {
            _effects.SendMessage(new PeerMessage.LeaveRefused("another change is under way there"));
            return;
        }

        int link = _link;
        Store(
            s => link == _link && Role == Role.Standby && !Handshake.GenerationRules.HasValidProof(s)
                ? s with { DiskState = Outdated(s) } : s,
            () =>
            {
                if (link != _link)
                {
                    return;
                }

                if (State.DiskState > DiskState.Outdated)
                {
                    _effects.SendMessage(new PeerMessage.LeaveRefused("its state changed meanwhile"));
                    return;
                }

                _isEligible = false;
                _saidGoodbyeLink = link;
                _saidGoodbyeUntilNs = _effects.NowNs + Limits.LeavePatienceNs;
                SayGoodbye();
            });
    }

    private void PeerRefusesToLeave(string reason) =>
        FinishDisconnect(false,
            $"{_settings.PeerName} can't store that its copy is Outdated: {reason}; this node stays connected");

    private void WatchLeaving()
    {
        GoOnWithDisconnect();
        WatchInvalidation();
        if (IsLinked && _saidGoodbyeLink == _link && _effects.NowNs >= _saidGoodbyeUntilNs)
        {
            // Outdated, it would stand by for nothing; the next join makes its copy count again.
            _saidGoodbyeLink = -1;
            _effects.CloseLink($"{_settings.PeerName} was to end the link and did not", operatorNeeded: false);
        }
    }

    private void NotePeerDisconnect()
    {
        if (IsPeerDisconnected != _isPeerDisconnectTold && _paths!.IsHeard)
        {
            _isPeerDisconnectTold = IsPeerDisconnected;
            if (_isPeerDisconnectTold)
            {
                _effects.Raise("peer-disconnected",
                    $"{_settings.Resource}: an operator has disconnected {_settings.PeerName}");
            }

            _effects.Changed();
        }
    }

    private void FinishDisconnect(bool succeeded, string message)
    {
        CommandAnswer? answer = _disconnect;
        _disconnect = null;
        _unansweredLeaveLink = succeeded ? -1 : Math.Max(_askedToLeaveLink, _unansweredLeaveLink);
        _askedToLeaveLink = -1;
        answer?.Invoke(succeeded, message, succeeded ? null : $"mirrorctl explain {_settings.Resource}");
    }

    private void FinishConnect(bool succeeded, string message)
    {
        CommandAnswer? answer = _connect;
        _connect = null;
        answer?.Invoke(succeeded, message, succeeded ? null : $"mirrorctl explain {_settings.Resource}");
    }

    private NamedState? DescribeDisconnected()
    {
        string peer = _settings.PeerName;
        string connect = $"mirrorctl connect {_settings.Resource}";
        if (IsLinked || (Role == Role.Primary && Path == WritePath.Closed) || !(State.Disconnected || IsPeerDisconnected))
        {
            return null;
        }

        string self = Role == Role.Primary ? "this node goes on alone, and what it writes is copied later"
            : $"this copy is {State.DiskState}"
                + (State.DiskState < DiskState.UpToDate ? ", and is not promoted without --force" : "")
                + "; this node takes nothing over by itself";
        return new NamedState("Disconnected",
            $"an operator has disconnected {(State.Disconnected ? "this node" : peer)}: nothing is mirrored; {self}.",
            "operator",
            State.Disconnected && IsPeerDisconnected ? $"{connect}, on both nodes"
                : State.Disconnected ? connect : $"{connect}, on {peer}");
    }
}
