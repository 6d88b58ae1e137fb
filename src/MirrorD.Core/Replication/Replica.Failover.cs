using MirrorD.Core.Failover;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// Who may go on when the link is down: gathers the facts, asks <see cref="FailoverTable"/> and follows it (safety
/// contract, section 5). Without a picture of the paths every path counts as lost to a Primary, and a Standby never
/// takes over by itself.
/// </summary>
public sealed partial class Replica
{
    private const long AskEveryNs = 200_000_000;
    private const long GatewayFreshNs = 2_000_000_000;
    private const long TakeoverRetryNs = 5_000_000_000;

    private PathPicture? _paths;
    private GatewayEvidence _gateway;
    private long _gatewayAtNs;
    private int _gatewayLink = -1;
    private Role? _peerLastRole;
    private Role? _peerRoleAtLoss;
    private bool _isEligible;
    private bool _allPathsWereUp;
    private bool _addressesWithdrawn;
    private bool _isRoleOpen;
    private long _knowsPathsFromNs;
    private bool _takingOver;
    private long _takeoverRetryAtNs;
    private long _goneSinceNs = -1;
    private long _lastTickNs;

    /// <summary>What the table said last; null while the link decides or nothing was asked yet.</summary>
    public FailoverDecision? LastFailover { get; private set; }

    /// <summary>Loop time since which the peer counts as gone, for the record of a takeover; -1 when it does not.</summary>
    public long PeerGoneSinceNs => _goneSinceNs;

    /// <summary>The paths to the peer, or what its heartbeats tell, have changed.</summary>
    public void PathsChanged(PathPicture picture)
    {
        _paths = picture;
        NotePaths();
        if (!IsLinked && picture is { IsHeard: true, Report: { } report })
        {
            _peerLastRole = report.Role;
            NotePeerPromotions(report.Promotions);
        }

        if (!picture.IsHeard)
        {
            // Nobody can be asked; a path that comes back begins a new question.
            _askedSinceNs = -1;
        }

        DecideFailover();
        Settle();
    }

    /// <summary>Evidence about this node's production network, asked for by AskGateway.</summary>
    public void GatewayAnswered(GatewayEvidence evidence)
    {
        if (IsLinked && _gatewayLink == _link)
        {
            ProductionAnswered(evidence);
            return;
        }

        bool isCurrent = _gatewayLink == _link && !IsLinked;
        _gatewayLink = -1;
        if (isCurrent && evidence != GatewayEvidence.Unknown)
        {
            _gateway = evidence;
            _gatewayAtNs = _effects.NowNs;
        }

        DecideFailover();
        Settle();
    }

    /// <summary>Null when this Standby may take over now, by the table; else why not.</summary>
    public string? WhyNotTakeOver()
    {
        if (Failure is not null || _stopping || Role == Role.Primary)
        {
            return Failure ?? (_stopping ? "this daemon is stopping" : "this node is Primary already");
        }

        if (Phase == LinkPhase.Joined)
        {
            return PeerRole == Role.Primary ? $"{_settings.PeerName} is Primary" : null;
        }

        NoteStandstill();
        FailoverDecision now = FailoverTable.Decide(FactsNow());
        return _paths is null ? "nothing is known of the networks yet"
            : now.Action == FailoverAction.TakeOver ? null
            : WhyStandby(now.Case) ?? $"the state changed: {now.Case}";
    }

    /// <summary>The steps that TakeOver began have ended, in whichever way.</summary>
    public void TakeoverEnded()
    {
        _takingOver = false;
        _takeoverRetryAtNs = _effects.NowNs + TakeoverRetryNs;
    }

    private void DecideFailover()
    {
        if (Failure is not null || _stopping)
        {
            return;
        }

        NoteStandstill();
        if (Role == Role.Primary)
        {
            SeekRight();
        }
        else
        {
            SeekTakeover();
        }
    }

    /// <summary>A Primary without proof follows the table.</summary>
    private void FollowAsPrimary()
    {
        FailoverDecision decision = Note(FailoverTable.Decide(FactsNow()));
        if (_paths is { IsHeard: true } && !State.Session.IsNone && State.DiskState == DiskState.UpToDate)
        {
            // Also when it has been mute, or does not seem to hear this node: a late answer is as good.
            AskPeer();
        }

        switch (decision.Action)
        {
            case FailoverAction.Claim:
                if (!_claiming && (!_arbiterUnreachable || _effects.NowNs >= _claimRetryAtNs))
                {
                    Claim();
                }

                break;
            case FailoverAction.AskGateway:
                AskGateway();
                break;
            case FailoverAction.GoOnByPolicy:
                StoreProof(ProofKind.PeerLossPolicy, State.Session);
                break;
            case FailoverAction.WithdrawAddresses when !_addressesWithdrawn:
                _addressesWithdrawn = true;
                _effects.WantAddresses(false, decision.Case == FailoverCase.PrimaryPeerServes
                    ? $"{_settings.PeerName} has taken over" : $"{_settings.PeerName} and the gateway are out of reach");
                break;
            case FailoverAction.WithdrawAddresses or FailoverAction.Wait or FailoverAction.AskPeer
                or FailoverAction.TakeOver:
                break;
        }
    }

    private void SeekTakeover()
    {
        if (IsLinked || _paths is null)
        {
            return;
        }

        FailoverFacts facts = FactsNow();
        bool isGone = facts.AreAllPathsLost || facts.IsPeerStuck;
        _goneSinceNs = !isGone ? -1 : _goneSinceNs < 0 ? _effects.NowNs : _goneSinceNs;
        FailoverDecision decision = Note(FailoverTable.Decide(FactsNow()));
        if (_promotion is not null)
        {
            // A claim that runs is waited for: a grant without a promotion would leave nobody to serve.
            bool isUnderWay = _claiming || _storingProof || _promotingAlone || HasProof;
            if (_isAutomatic && !isUnderWay && decision.Action != FailoverAction.TakeOver
                && decision.Case != FailoverCase.StandbyAsksGateway)
            {
                FinishPromotion(false, WhyStandby(decision.Case) ?? $"the state changed: {decision.Case}", null);
            }
        }

        switch (decision.Action)
        {
            case FailoverAction.AskGateway:
            case FailoverAction.TakeOver when _takingOver && decision.Case != FailoverCase.StandbyResumes:
                // Also while the steps are under way: they go on only with evidence that is fresh.
                AskGateway();
                break;
            case FailoverAction.TakeOver when !_takingOver && _promotion is null && _effects.NowNs >= _takeoverRetryAtNs:
                BeginTakeover(WhyTakeOver(decision.Case), decision.Case == FailoverCase.StandbyResumes);
                break;
            default:
                break;
        }
    }

    private void BeginTakeover(string reason, bool resumes)
    {
        _takingOver = true;
        _effects.TakeOver(reason, resumes);
    }

    /// <summary>What is known of the peer, or of the right to serve: for the record of a takeover, without full stop.</summary>
    private string WhyTakeOver(FailoverCase @case)
    {
        if (@case == FailoverCase.StandbyResumes)
        {
            return HasProof ? "this node holds a proof" : $"{_settings.PeerName}, a Standby, can be asked";
        }

        string seen = _paths switch
        {
            { IsHeard: true, Report.DiskState: <= DiskState.Failed } => "its disk has failed",
            { IsHeard: true } => "its resource does not move",
            { DaemonIsGone: true } => "its host answers, but its mirrord is gone",
            _ => "no network to it is left",
        };
        return @case == FailoverCase.StandbyHasProof ? $"{seen}, and this node holds a proof" : seen;
    }

    /// <summary>
    /// Both are joined and nobody is Primary: the node whose role it was, or that is preferred, takes it by itself. It
    /// tries again until somebody has had the role since.
    /// </summary>
    private void TakeRoleAtJoin()
    {
        _isRoleOpen &= Phase == LinkPhase.Joined && Role == Role.Standby && PeerRole == Role.Standby;
        if (_isRoleOpen && _effects.NowNs >= _takeoverRetryAtNs && Role == Role.Standby && PeerRole == Role.Standby && !_takingOver && _promotion is null && !_roleWasTakenAway
            && !_stopping && RoleAtJoin.IsOurs(_ownFacts!, _peerFacts!, _settings.IsPreferred))
        {
            BeginTakeover("both are joined, and nobody is Primary", resumes: true);
        }
    }

    /// <summary>
    /// A process that stood still for longer than the link may be silent must not serve before everything was looked at
    /// again: the peer may have taken over meanwhile. A new connection does that.
    /// </summary>
    private void NoteStandstill()
    {
        bool stoodStill = _lastTickNs > 0 && _settings.LinkTimeoutNs > 0
            && _effects.NowNs - _lastTickNs > _settings.LinkTimeoutNs;
        if (stoodStill && IsLinked && Role == Role.Primary && Path == WritePath.Mirrored)
        {
            Suspend();
            _effects.CloseLink("this process stood still for longer than the link timeout", operatorNeeded: false);
        }

        if (stoodStill && !IsLinked)
        {
            // What it knows of paths, peer and gateway is of before, and the peer may have taken over: it waits for what
            // the watch finds now, and asks again.
            _knowsPathsFromNs = _effects.NowNs + _settings.LinkTimeoutNs;
            _peerMayServeUntilNs = Math.Max(_peerMayServeUntilNs, _knowsPathsFromNs + Limits.LossNoticeNs);
            _gateway = GatewayEvidence.Unknown;
            _askedSinceNs = -1;
        }
    }

    private FailoverDecision Note(FailoverDecision decision)
    {
        if (LastFailover != decision)
        {
            LastFailover = decision;
            _effects.Changed();
        }

        return decision;
    }

    private void AskGateway()
    {
        bool isStale = _gateway == GatewayEvidence.Unknown || _effects.NowNs - _gatewayAtNs >= GatewayFreshNs / 2;
        if (_gatewayLink != _link && isStale)
        {
            _gatewayLink = _link;
            _effects.AskGateway();
        }
    }

    /// <summary>
    /// Refusals made its paths lost before dead-after: its daemon ended, and the release helper still leaves a new one
    /// time to serve again.
    /// </summary>
    private bool MayBeBackInTime => _paths is { AreAllLost: true, WasHeardLately: true };

    private FailoverFacts FactsNow()
    {
        long now = _effects.NowNs;
        bool isStale = now - _gatewayAtNs > GatewayFreshNs;
        GatewayEvidence gateway = isStale && _gatewayLink != _link ? GatewayEvidence.Unknown : _gateway;

        // A Primary that found itself isolated stays so until it serves again: the peer may have taken over since.
        bool isIsolated = Role == Role.Primary && _addressesWithdrawn;
        return new FailoverFacts
        {
            Role = Role,
            IsLinked = IsLinked,
            DiskState = State.DiskState,
            HasProof = HasProof,
            HasSession = !State.Session.IsNone,
            HasArbiter = _settings.HasArbiter,
            OnPeerLoss = _settings.OnPeerLoss,
            Autoswitch = _settings.Autoswitch,
            IsAnyPathUp = _paths?.IsAnyUp ?? false,
            IsPeerHeard = _paths?.IsHeard ?? false,
            AreAllPathsLost = (_paths?.AreAllLost ?? true) && now >= _knowsPathsFromNs,
            IsPeerMute = _askedSinceNs >= 0 && now - _askedSinceNs > _settings.OutdateTimeoutNs,
            IsPeerStuck = _paths is { IsHeard: true, Report: { } report }
                && (report.IsStuck || report.DiskState <= DiskState.Failed),
            PeerRole = _peerLastRole,
            PeerRoleAtLoss = _peerRoleAtLoss,
            Gateway = isIsolated ? GatewayEvidence.Silent : gateway,
            IsEligible = _isEligible && _allPathsWereUp,
            HasWaited = now >= _peerMayServeUntilNs && !MayBeBackInTime
                && (_goneSinceNs < 0 || now >= _goneSinceNs + _settings.TakeoverDelayNs),
            WasPrimary = State.WasPrimary,
        };
    }

    private void NotePaths()
    {
        if (_paths is not null && Phase == LinkPhase.Joined && _paths.Paths.All(path => path.State == PathState.Up))
        {
            _allPathsWereUp = true;
        }
    }

    /// <summary>What was found out about a loss is void with the next connection, and with the next loss.</summary>
    private void ForgetEvidence()
    {
        _gateway = GatewayEvidence.Unknown;
        _gatewayLink = -1;
        _askedSinceNs = -1;
        _outdateNonce = 0;
        _goneSinceNs = -1;
        _production = GatewayEvidence.Unknown;
        _isBetterPlaceTold = false;
        _takeoverRetryAtNs = 0;
        LastFailover = null;
    }

    private void RestoreAddresses()
    {
        if (_addressesWithdrawn)
        {
            _addressesWithdrawn = false;
            _effects.WantAddresses(true, "requests are served again");
        }
    }
}
