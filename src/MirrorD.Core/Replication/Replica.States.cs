using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>A state that holds the resource up; its name is one of the safety contract's section 6.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Reason">What happened, and what is safe.</param>
/// <param name="Owner">Who must act: mirrord, operator, arbiter or peer.</param>
/// <param name="Remedy">The command or action that resolves it; null when it resolves by itself.</param>
public sealed record NamedState(string Name, string Reason, string Owner, string? Remedy);

/// <summary>What is told to operators, and the emptying of logs.</summary>
public sealed partial class Replica
{
    private int _emptyingLogs;
    private Action? _logsEmpty;

    /// <summary>What holds the resource up; null when nothing does.</summary>
    public NamedState? DescribeHoldUp()
    {
        string resource = _settings.Resource;
        string peer = _settings.PeerName;
        string force = $"mirrorctl promote {resource} --force";
        if (Failure is not null)
        {
            return new NamedState("DiskFailed", $"{Failure}. Nothing is served from this node; {peer} keeps its copy.",
                "operator", $"replace the disk; or promote {peer}: mirrorctl promote {resource} there");
        }

        if (IsDiskless && Role == Role.Primary)
        {
            return DescribeDiskless();
        }

        if (DescribeDisconnected() is { } disconnected)
        {
            return disconnected;
        }

        if (!IsLinked && DescribeRefusal() is { } refused)
        {
            return refused;
        }

        if (Role == Role.Primary && Path == WritePath.Closed && !IsLinked)
        {
            return DescribeFrozen(force);
        }

        if (Role == Role.Primary && Phase == LinkPhase.Joining
            && _effects.NowNs - _joinProgressNs > Limits.JoinSilenceNs / 10)
        {
            return new NamedState("JoinInterrupted",
                $"{peer} is connected but does not go on with the handshake; requests are held, nothing is lost.",
                "mirrord", $"resolves itself: the link is closed soon; else look at {peer}: mirrorctl explain {resource}");
        }

        if (IsSyncPaused && (Phase == LinkPhase.Target || (Phase == LinkPhase.Source && DirtyBlocks > 0)))
        {
            return DescribePause();
        }

        if (DescribeStranger() is { } stranger)
        {
            return stranger;
        }

        if (Role == Role.Standby && !IsLinked)
        {
            return DescribeLoneStandby(force);
        }

        return null;
    }

    private NamedState DescribeFrozen(string force)
    {
        string peer = _settings.PeerName;
        const string held = "requests are held, nothing is lost.";
        return LastFailover?.Case switch
        {
            FailoverCase.PrimaryAsksPeer => new NamedState("FrozenNoProof",
                $"{peer} is not connected and is being asked, over the other networks, to let this node go on; {held}",
                "mirrord", null),
            FailoverCase.PrimaryWaitsForPaths => new NamedState("FrozenNoProof",
                $"{peer} is not connected, and it is not certain yet that every network to it is lost; {held}",
                "mirrord", null),
            FailoverCase.PrimaryAsksGateway => new NamedState("FrozenNoProof",
                $"every network to {peer} is lost, and the gateway is being asked; {held}", "mirrord", null),
            FailoverCase.PrimaryPeerServes => new NamedState("FrozenNoProof",
                $"{peer} says that it is Primary: it has taken over; this node has removed the service addresses; {held}",
                "peer", $"bring the networks to {peer} back; this node then becomes its standby"),
            FailoverCase.PrimaryIsolated => new NamedState("FrozenNoProof",
                $"every network to {peer} is lost and no gateway answers: this node may be the isolated one; it has "
                + $"removed the service addresses; {held}",
                "operator", $"mend this node's networks; or make sure that {peer} is off and: {force}"),
            _ when _settings.HasArbiter && !State.Session.IsNone => new NamedState("FrozenNoArbiter",
                $"{peer} is not connected and the arbiter has not answered; {held}",
                "arbiter", $"make the arbiter reachable or bring {peer} back; last resort: {force}"),
            _ => new NamedState("FrozenNoProof",
                $"{peer} is not connected and nothing proves that it will not serve; {held}",
                "operator", $"bring {peer} back; or make sure that it is off and: {force}"),
        };
    }

    /// <summary>Why a Standby without link does not take over; null when the table was not asked.</summary>
    private string? WhyStandby(FailoverCase? @case) => @case switch
    {
        FailoverCase.StandbyDisconnected => "an operator has disconnected this node",
        FailoverCase.StandbyAutoswitchOff => "autoswitch is off",
        FailoverCase.StandbyPeerLives => $"{_settings.PeerName} is heard on another network",
        FailoverCase.StandbyWaitsForPaths => "it is not certain yet that every network is lost",
        FailoverCase.StandbyNeverJoined => "the nodes have never joined",
        FailoverCase.StandbyNobodyServed => $"{_settings.PeerName} was Standby too: nobody served",
        FailoverCase.StandbyNotEligible => "without arbiter a node takes over only when it was joined, over all "
            + "networks, since its daemon started",
        FailoverCase.StandbyHasNoCarrier => "the production interface here has no carrier: this node is the isolated one",
        FailoverCase.StandbyHasNoGateway => "the gateway does not answer here: this node is the isolated one",
        FailoverCase.StandbyAsksGateway => "the gateway is being asked",
        FailoverCase.StandbyWaits when MayBeBackInTime => $"the mirrord of {_settings.PeerName} may be back in time",
        FailoverCase.StandbyWaits => "it waits until the old Primary must have noticed the loss",
        FailoverCase.StandbyHasProof or FailoverCase.StandbyTakesOver or FailoverCase.StandbyResumes =>
            _promotion is not null && _arbiterUnreachable && !HasProof
                ? "the arbiter can't be reached, and is asked again and again"
                : HasAppliedReceived ? "it is about to take over" : "its disk does not have all yet that was received",
        _ => null,
    };

    private NamedState DescribeLoneStandby(string force)
    {
        string peer = _settings.PeerName;
        string reset = $"bring {peer} back; last resort, if {peer} is lost for good: {force}";
        return State.DiskState switch
        {
            DiskState.Inconsistent when State.ResyncFrom.IsNone && !State.JustCreated => new NamedState("DiskFailed",
                $"a disk of this node has failed before: this copy may lack writes until it is synchronised from {peer}.",
                "peer", reset),
            DiskState.Inconsistent when State.ResyncFrom.IsNone => new NamedState("LoneBoot",
                $"this copy was never synchronised and {peer} is not connected.", "peer", reset),
            DiskState.Inconsistent => new NamedState("ResyncTargetWithoutSource",
                $"a resync from {peer} was interrupted: this copy is a mixture of old and new data.", "peer", reset),
            DiskState.Outdated => new NamedState("OutdatedOnRequest",
                $"{peer} may have gone on without this node: this copy is older.", "peer", reset),
            DiskState.Diskless or DiskState.Failed => new NamedState("DiskFailed",
                "this node has no usable copy.", "operator", "replace the disk"),
            DiskState.Consistent or DiskState.UpToDate => new NamedState("LoneBoot",
                (HasProof
                    ? $"waiting for {peer}; this node holds a proof and may be promoted"
                    : $"waiting for {peer}; nothing proves that it does not serve")
                    + (WhyStandby(LastFailover?.Case) is { } why ? $". No takeover: {why}." : "."),
                HasProof ? "operator" : "peer",
                HasProof ? $"mirrorctl promote {_settings.Resource}" : reset),
        };
    }

    private NamedState? DescribeRefusal()
    {
        if (LastDecision is not { } decision)
        {
            return null;
        }

        string peer = _settings.PeerName;
        string show = $"mirrorctl split-brain show {_settings.Resource}; then mirrorctl split-brain resolve {_settings.Resource} "
            + "--discard with the name of the node whose changes are given up";
        string discard =
            $"decide which copy to discard; if this one: stop mirrord here, then mirrorctl create {_settings.Resource} "
            + $"--overwrite --from {peer}, and start it again; if the one of {peer}: mirrorctl explain there says how";
        return decision.Action switch
        {
            HandshakeAction.Refuse when decision.Case == HandshakeCase.ModesDiffer => new NamedState("ModesDiffer",
                $"this node is configured for mode {_settings.Mode.InWords()} and {peer} for {_peerMode.InWords()}; "
                + "no data moves.", "operator",
                $"write the same 'mode' of {_settings.Resource} in the configuration of both nodes, then restart mirrord "
                + "where it changed"),
            HandshakeAction.SplitBrain => new NamedState("SplitBrain",
                $"{decision.Case}: both nodes have data that the other one lacks; no data moves{_whyNoPolicy}.", "operator",
                decision.Case == HandshakeCase.VolumesDisagree ? discard : show),
            HandshakeAction.Refuse => new NamedState(decision.Case.ToString(),
                "the two copies have nothing in common; no data moves.", "operator",
                discard),
            HandshakeAction.Operator => new NamedState(decision.Case.ToString(),
                "the stored states do not say which copy is newer; no data moves.", "operator",
                discard),
            HandshakeAction.NoSync or HandshakeAction.BitmapSync or HandshakeAction.FullSync
                or HandshakeAction.DemoteFirst or HandshakeAction.ServeDiskless => null,
        };
    }

    /// <summary>
    /// Writes an empty activity log for each volume, durably. Nothing is in flight and all is clean up to the touch.
    /// </summary>
    private void StoreEmptyLogs(long cleanThrough, Action then)
    {
        Invariant.Require(_emptyingLogs == 0, "logs are emptied once at a time");
        _logsEmpty = then;
        _emptyingLogs = _logs.Length;
        for (int volume = 0; volume < _logs.Length; volume++)
        {
            _logs[volume].CleanThrough = cleanThrough;
            bool empty = _logs[volume].Clear();
            Invariant.Require(empty, "nothing is in flight or unflushed when the log is emptied");
            _busy++;
            _effects.StoreLog(volume, _logs[volume].BeginStore());
        }
    }

    private void NoteEmptyLog()
    {
        if (_emptyingLogs > 0 && --_emptyingLogs == 0)
        {
            Action then = _logsEmpty!;
            _logsEmpty = null;
            then();
        }
    }
}
