using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Replication;

/// <summary>How a command ended: carried out or not, one sentence, and what resolves it.</summary>
public delegate void CommandAnswer(bool succeeded, string message, string? remedy);

/// <summary>Changes of role by command: promote, demote, hand over, stop.</summary>
public sealed partial class Replica
{
    private CommandAnswer? _promotion;
    private CommandAnswer? _demotion;
    private bool _handingOver;
    private bool _storingStandby;
    private bool _claimingRole;
    private bool _requestingRole;
    private bool _isAutomatic;
    private bool _promotingAlone;
    private bool _roleWasTakenAway;
    private ulong _peerPromotions;
    private long _peerMayServeUntilNs;
    private bool _promotingJoined;
    private bool _peerIsPromoting;
    private bool _stopping;
    private CommandAnswer? _stop;

    /// <summary>
    /// Becomes Primary by rule; with force also without proof or from an Outdated copy (the operator's override). An
    /// automatic one waits for an arbiter that is away, and ends when the state no longer allows a takeover.
    /// </summary>
    public void Promote(bool force, CommandAnswer answer, bool automatic = false)
    {
        if (Failure is not null)
        {
            answer(false, Failure, "replace the disk");
        }
        else if (RefusalWithoutDisk() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
        }
        else if (_stopping)
        {
            answer(false, "this daemon is stopping", null);
        }
        else if ((_promotion is not null && !(force && _isAutomatic)) || _demotion is not null || IsLeaving)
        {
            answer(false, "another change of role is under way", "mirrorctl status");
        }
        else if (Role == Role.Primary && (Path != WritePath.Closed || IsLinked || !force))
        {
            answer(true, "this node is Primary already", null);
        }
        else
        {
            if (_promotion is not null)
            {
                // What nobody asked for may wait for an arbiter that is away, for ever.
                FinishPromotion(false, "an operator promotes by force", null);
            }

            _promotion = answer;
            _isAutomatic = automatic;
            if (force && !IsLinked)
            {
                PromoteAlone(overrides: true);
            }
            else
            {
                GoOnWithRoleCommand();
            }
        }

        Settle();
    }

    /// <summary>Becomes Standby: drained, both sides flushed, log empty, stored.</summary>
    public void Demote(CommandAnswer answer) => BeginDemotion(false, answer);

    /// <summary>Hands the role to the joined Standby without loss.</summary>
    public void HandOver(CommandAnswer answer)
    {
        if (RefusalOfHandOver() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        BeginDemotion(true, answer);
    }

    /// <summary>On a Standby: asks the joined Primary to hand over.</summary>
    public void RequestRole(CommandAnswer answer)
    {
        if (Role == Role.Primary)
        {
            answer(true, "this node is Primary already", null);
        }
        else if (Phase != LinkPhase.Joined || PeerRole != Role.Primary)
        {
            Promote(false, answer);
        }
        else if (_promotion is not null || IsLeaving)
        {
            answer(false, "another change of role is under way", "mirrorctl status");
        }
        else
        {
            _promotion = answer;
            _requestingRole = true;
            _effects.SendMessage(new PeerMessage.RequestRole());
        }
    }

    /// <summary>On a Primary that was asked for the role and can't give it up: the asker gets the reason.</summary>
    public void RefuseRole(string reason, CommandAnswer answer)
    {
        bool sends = Role == Role.Primary && Phase == LinkPhase.Joined;
        if (sends)
        {
            _effects.SendMessage(new PeerMessage.RoleAnswer(false, reason));
        }

        answer(sends, sends ? "refused" : "nobody is connected who could be told", null);
    }

    /// <summary>
    /// Planned stop. A joined Standby without proof stores Outdated and says so, which lets the Primary go on at
    /// once; a Primary demotes first. The link is closed when the answer comes.
    /// </summary>
    public void Stop(CommandAnswer answer)
    {
        if (_stop is not null)
        {
            answer(false, "a stop is under way already", null);
            return;
        }

        if (!_storingDisconnect)
        {
            FinishDisconnect(false, "this daemon is stopping");
        }

        if (Role == Role.Primary)
        {
            BeginDemotion(false, (succeeded, message, remedy) =>
            {
                if (succeeded)
                {
                    Stop(answer);
                }
                else
                {
                    answer(succeeded, message, remedy);
                }
            });
            return;
        }

        // A promotion that is being stored ends first, and this node then stops as Primary.
        int link = _link;
        _stopping = true;
        bool outdates = Phase == LinkPhase.Joined && !HasProof && Failure is null;
        if (!outdates)
        {
            _stop = answer;
            FinishStop(false);
            return;
        }

        _stop = answer;
        Store(
            s => link == _link && Role == Role.Standby ? s with { DiskState = Outdated(s) } : s,
            () =>
            {
                if (Role == Role.Primary)
                {
                    _stop = null;
                    Stop(answer);
                }
                else
                {
                    FinishStop(link == _link && State.DiskState <= DiskState.Outdated);
                }
            });
    }

    private void FinishStop(bool isOutdated)
    {
        CommandAnswer? answer = _stop;
        _stop = null;
        if (answer is null)
        {
            return;
        }

        SayGoodbye(isOutdated);
        if (IsLinked)
        {
            _effects.CloseLink("planned stop", operatorNeeded: true);
        }

        answer(true, isOutdated ? "stopped; this copy is Outdated until it joins again" : "stopped", null);
    }

    private string? HandleRoleMessage(PeerMessage message)
    {
        switch (message)
        {
            case PeerMessage.RoleNotice notice when notice.Role == Role.Standby || Role == Role.Standby:
                PeerRole = notice.Role;
                _isRoleOpen &= notice.Role == Role.Standby;
                _peerIsPromoting = false;
                NotePeerPromotions(notice.Promotions);
                _roleWasTakenAway &= notice.Role == Role.Standby;
                _effects.Raise("peer-role", $"{_settings.Resource}: {_settings.PeerName} is {notice.Role} now");
                _effects.Changed();
                if (notice.Role == Role.Standby && Phase == LinkPhase.Joined)
                {
                    GoOnWithRoleCommand();
                }

                return null;
            case PeerMessage.RoleClaim claim when Phase is LinkPhase.Joined or LinkPhase.Target or LinkPhase.Source:
                AnswerClaim(claim.IsAutomatic);
                return null;
            case PeerMessage.RoleAnswer answer when _claimingRole:
                _claimingRole = false;
                if (answer.Agreed)
                {
                    PromoteJoined();
                }
                else
                {
                    _isRoleOpen = false;
                    FinishPromotion(false, $"{_settings.PeerName} refuses: {answer.Reason}", null);
                }

                return null;
            case PeerMessage.RoleAnswer answer when Phase is LinkPhase.Joined or LinkPhase.Source:
                // The claim was given up meanwhile: the peer must not go on waiting for this node's promotion.
                if (answer.Agreed)
                {
                    _effects.SendMessage(new PeerMessage.RoleNotice(Role, State.Promotions));
                }
                else if (_requestingRole)
                {
                    FinishPromotion(false, $"{_settings.PeerName} refuses: {answer.Reason}",
                        $"see 'mirrorctl events' on {_settings.PeerName}");
                }

                return null;
            case PeerMessage.RequestRole when Phase == LinkPhase.Joined && Role == Role.Primary:
                _effects.PeerRequestsRole();
                return null;
            case PeerMessage.RequestRole:
                // Nothing to hand over (any more): the asker may claim.
                _effects.SendMessage(new PeerMessage.RoleNotice(Role, State.Promotions));
                return null;
            case PeerMessage.HandOver handOver when Phase == LinkPhase.Joined && Role == Role.Standby
                && PeerRole == Role.Primary && !IsImpossible(handOver.Promotions):
                TakeOverRole(handOver);
                return null;
            case PeerMessage.HandOverDone when _demotion is not null && _handingOver && Role == Role.Standby:
                PeerRole = Role.Primary;
                _roleWasTakenAway = false;
                EndWithoutDisk();
                FinishDemotion(true, $"{_settings.PeerName} is Primary now", null);
                return null;
            case PeerMessage.Goodbye goodbye when !goodbye.IsOutdated || Phase == LinkPhase.Joined:
                _goodbye = goodbye.IsOutdated ? (goodbye.Session, goodbye.Current) : null;
                _effects.Raise("peer-goodbye", $"{_settings.Resource}: {_settings.PeerName} leaves as planned");
                GoOnWithDisconnect();
                JoinAnewAfterLateGoodbye();
                return null;
            case PeerMessage.LeaveAsk when Phase == LinkPhase.Joined && Role == Role.Standby && PeerRole == Role.Primary:
                PeerAsksToLeave();
                return null;
            case PeerMessage.InvalidateAsk ask when Phase == LinkPhase.Joined:
                PeerInvalidates(ask.IsWanted);
                return null;
            case PeerMessage.InvalidateAnswer answer when Phase == LinkPhase.Joined:
                InvalidationAnswered(answer.Reason);
                return null;
            case PeerMessage.LeaveRefused refused when Phase == LinkPhase.Joined:
                PeerRefusesToLeave(refused.Reason);
                return null;
            default:
                return $"{message.GetType().Name} while {Phase}";
        }
    }

    private void AnswerClaim(bool isAutomatic)
    {
        bool isLower = _settings.Node.Value.CompareTo(State.Peer.Value) < 0;
        string? reason = Role == Role.Primary ? $"{_settings.NodeName} is Primary; use switchover"
            : isAutomatic && _roleWasTakenAway ? "an operator has ended the role"
            : Phase == LinkPhase.Source ? "its copy is not up to date yet"
            : _promotion is not null && isLower ? $"{_settings.NodeName} is being promoted itself"
            : null;
        if (reason is null)
        {
            _peerIsPromoting = true;
            FinishPromotion(false, $"{_settings.PeerName} is being promoted", null);
            EndVerifyEarly($"{_settings.PeerName} is being promoted");
            if (IsRepairSent)
            {
                // The peer would take writes of its clients while it still writes that copy.
                if (!_whenQuiet.Contains(AgreeToClaim))
                {
                    WhenQuiet(AgreeToClaim);
                }
            }
            else
            {
                AgreeToClaim();
            }

            return;
        }

        _effects.SendMessage(new PeerMessage.RoleAnswer(false, reason));
    }

    /// <summary>
    /// The peer may serve as soon as it has the answer. Before that it is stored that the role is this node's no more:
    /// forgotten by a crash, what still waits in its block device would later be written over what the peer has served.
    /// </summary>
    private void AgreeToClaim()
    {
        int link = _link;
        void Answer()
        {
            if (link == _link && _peerIsPromoting)
            {
                _effects.SendMessage(new PeerMessage.RoleAnswer(true, ""));
            }
        }

        if (!State.WasPrimary)
        {
            Answer();
            return;
        }

        // A join that has not come to J5 or J6 yet forgets it there.
        Store(s => link == _link && _peerIsPromoting && s.Session == _linkSession ? s with { WasPrimary = false } : s, Answer);
    }

    /// <summary>Looks what a pending promotion waits for; called whenever link or phase changed.</summary>
    private void GoOnWithRoleCommand()
    {
        if (_promotion is null)
        {
            return;
        }

        if (Role == Role.Primary)
        {
            FinishPromotion(true, "this node is Primary already", null);
            return;
        }

        switch (Phase)
        {
            case LinkPhase.Joining:
                break;
            case LinkPhase.Target:
                FinishPromotion(false, "this copy is being brought up to date", "wait for the resync to end");
                break;
            case LinkPhase.Joined or LinkPhase.Source when PeerRole == Role.Primary:
                FinishPromotion(false, $"{_settings.PeerName} is Primary",
                    $"mirrorctl switchover {_settings.Resource}");
                break;
            case LinkPhase.Joined or LinkPhase.Source when _peerIsPromoting:
                FinishPromotion(false, $"{_settings.PeerName} is being promoted", null);
                break;
            case LinkPhase.Joined or LinkPhase.Source when _claimingRole || _promotingJoined:
                break;
            case LinkPhase.Joined or LinkPhase.Source when State.DiskState == DiskState.UpToDate:
                _claimingRole = true;
                _effects.SendMessage(new PeerMessage.RoleClaim(_isAutomatic));
                break;
            case LinkPhase.Joined or LinkPhase.Source:
                // A source whose own copy becomes UpToDate at J6: then it goes on.
                break;
            case LinkPhase.Down:
                PromoteWithoutPeer();
                break;
        }
    }

    private void BeginDemotion(bool handOver, CommandAnswer answer)
    {
        if (Role != Role.Primary)
        {
            answer(!handOver, "this node is Standby", null);
            return;
        }

        if (_demotion is not null || _promotion is not null || _detach is not null || IsLeaving || KeepsCopy
            || Failure is not null)
        {
            answer(false, Failure ?? "another change of role is under way", "mirrorctl status");
            return;
        }

        _demotion = answer;
        _handingOver = handOver;

        // Mutations in flight end as usual; whatever was not begun is held, and fails at the end.
        Suspend();
        WhenQuiet(() => AfterCheckpoint(() =>
        {
            if (IsDiskless)
            {
                StoreStandby();
            }
            else
            {
                StoreEmptyLogs(_passTouch, StoreStandby);
            }
        }));
        Settle();
    }

    /// <summary>From here on the demotion is carried out whatever becomes of the link: all is flushed, nothing runs.</summary>
    private void StoreStandby()
    {
        if (_demotion is null)
        {
            return;
        }

        int link = _link;
        _storingStandby = true;
        if (IsDiskless)
        {
            StoreStandbyWithoutDisk(() => StandbyStored(link));
        }
        else
        {
            Store(s => s with { WasPrimary = false }, () => StandbyStored(link));
        }
    }

    private void StandbyStored(int link)
    {
        _storingStandby = false;
        Role = Role.Standby;
        _isRoleOpen = false;
        _roleWasTakenAway = true; // Until there was a Primary again.
        _roleEndedHere = true;
        FailHeld();
        _effects.RoleChanged(Role.Standby, _handingOver ? "handed over" : "demoted");
        _effects.Changed();
        if (_handingOver && link == _link)
        {
            _effects.SendMessage(new PeerMessage.HandOver(State.Promotions));
            return;
        }

        if (IsLinked)
        {
            _effects.SendMessage(new PeerMessage.RoleNotice(Role.Standby, State.Promotions));
        }

        EndWithoutDisk();
        FinishDemotion(!_handingOver, _handingOver
            ? "the link was lost; this node has stored Standby" : "this node is Standby now",
            _handingOver ? "mirrorctl status" : null);
    }

    private void RoleCommandsAfterLinkLoss()
    {
        _claimingRole = false;
        _peerIsPromoting = false;
        if (_demotion is not null && !_storingStandby)
        {
            string state = Role == Role.Primary ? "this node is still Primary" : "this node has stored Standby";
            FinishDemotion(false, $"the link was lost; {state}", "mirrorctl status");
        }

        GoOnWithRoleCommand();
    }

    private void FinishPromotion(bool succeeded, string message, string? remedy)
    {
        CommandAnswer? answer = _promotion;
        _promotion = null;
        _claimingRole = false;
        _requestingRole = false;
        _isAutomatic = false;
        if (Role == Role.Standby)
        {
            // The next promotion asks anew: a peer that was mute need not be so for ever.
            _askedSinceNs = -1;
        }

        answer?.Invoke(succeeded, message, remedy);
    }

    private void FinishDemotion(bool succeeded, string message, string? remedy)
    {
        CommandAnswer? answer = _demotion;
        _demotion = null;
        answer?.Invoke(succeeded, message, remedy);
    }
}
