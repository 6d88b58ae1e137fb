using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// Who may go on when the link is down: gathers the facts, asks <see cref="FailoverTable"/> and follows it
/// (safety contract, section 5). Without a picture of the paths every path counts as lost to a Primary, and a
/// Standby never takes over by itself.
/// </summary>
public sealed partial class Replica
{
    private const long AskEveryNs = 200_000_000;
    private const long GatewayFreshNs = 2_000_000_000;

    private PathPicture? _paths;
    private GatewayEvidence _gateway;
    private long _gatewayAtNs;
    private int _gatewayLink = -1;
    private long _gatewayAskedNs;
    private long _gatewayQuestion;
    private Role? _peerRole;
    private Role? _peerLastRole;
    private Role? _peerRoleAtLoss;

    // What the heartbeats had told when the link last told the role: the same is no news until they tell something else.
    private (Role Role, ulong Promotions)? _toldBefore;
    private bool _isEligible;
    private bool _allPathsWereUp;
    private bool _addressesWithdrawn;
    private long _knowsPathsFromNs;
    private long _lastTickNs;

    /// <summary>What the table said last; null while the link decides or nothing was asked yet.</summary>
    public FailoverDecision? LastFailover { get; private set; }

    /// <summary>The paths to the peer, or what its heartbeats tell, have changed.</summary>
    public void PathsChanged(PathPicture picture)
    {
        _paths = picture;
        NotePaths();
        NotePeerDisconnect();
        if (!IsLinked)
        {
            NoteReport();
        }

        if (!picture.IsHeard)
        {
            // Nobody can be asked; a path that comes back begins a new question.
            _askedSinceNs = -1;
        }

        DecideFailover();
        Settle();
    }

    /// <summary>
    /// What the heartbeats tell of the peer counts without link. They lag behind it: a daemon that stops in order may have told its
    /// new role over the link alone.
    /// </summary>
    private void NoteReport()
    {
        if (_paths?.Report is not { } report)
        {
            // Another run of the peer, or none: whatever comes is newer.
            _toldBefore = null;
        }
        else if (_paths.IsHeard)
        {
            NotePeerPromotions(report.Promotions);
            if ((report.Role, report.Promotions) != _toldBefore)
            {
                _toldBefore = null;
                _peerLastRole = report.Role;
            }
        }
    }

    /// <summary>
    /// Evidence about this node's production network, asked for by AskGateway. It is as old as its question: an answer may take
    /// its time on the way. One to an earlier question, from before the loss for example, counts for nothing.
    /// </summary>
    public void GatewayAnswered(long question, GatewayEvidence evidence)
    {
        if (question != _gatewayQuestion)
        {
            return;
        }

        if (IsLinked && _gatewayLink == _link)
        {
            ProductionAnswered(evidence);
            return;
        }

        bool isCurrent = _gatewayLink == _link;
        _gatewayLink = -1;
        if (isCurrent && evidence != GatewayEvidence.Unknown)
        {
            _gateway = evidence;
            _gatewayAtNs = _gatewayAskedNs;
        }

        DecideFailover();
        Settle();
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
                    ? $"{_settings.PeerName} has taken over"
                        : $"{_settings.PeerName} and the gateway are out of reach");
                break;
            case FailoverAction.WithdrawAddresses or FailoverAction.Wait or FailoverAction.AskPeer
                or FailoverAction.TakeOver:
                break;
        }
    }

    /// <summary>
    /// A process that stood still for longer than the link may be silent must not serve before everything was
    /// looked at again: the peer may have taken over meanwhile. A new connection does that. Asked before each request
    /// and before whatever may end one: those that both copies have are not answered either, but held.
    /// </summary>
    private void NoteStandstill()
    {
        bool stoodStill = _lastTickNs > 0 && _settings.LinkTimeoutNs > 0
            && _effects.NowNs - _lastTickNs > _settings.LinkTimeoutNs;
        if (stoodStill && IsLinked && Role == Role.Primary && MayAnswer())
        {
            Suspend();
            _sent.Clear();
            foreach (VolumeRequest request in _issued)
            {
                request.PeerDone = false;
            }

            _effects.CloseLink("this process stood still for longer than the link timeout",
                operatorNeeded: false);
        }

        if (stoodStill && !IsLinked)
        {
            // What it knows of paths, peer and gateway is of before, and the peer may have taken over: it
            // waits for what the watch finds now, and asks again.
            _knowsPathsFromNs = _effects.NowNs + _settings.LinkTimeoutNs;
            _peerMayServeUntilNs = Math.Max(_peerMayServeUntilNs, _knowsPathsFromNs + Limits.LossNoticeNs);
            _gateway = GatewayEvidence.Unknown;
            _askedSinceNs = -1;
        }
    }

    // While the role is given up, or the disk, what both copies have is still answered.
    private bool MayAnswer() =>
        Path is WritePath.Mirrored or WritePath.Remote || _issued.Exists(request => request.PeerDone);

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
        bool isStale = _gateway == GatewayEvidence.Unknown
            || _effects.NowNs - _gatewayAtNs >= GatewayFreshNs / 2;
        if (_gatewayLink != _link && isStale)
        {
            PutGatewayQuestion();
        }
    }

    private void PutGatewayQuestion()
    {
        _gatewayLink = _link;
        _gatewayAskedNs = _effects.NowNs;
        _effects.AskGateway(++_gatewayQuestion);
    }

    private bool AreAllPathsLost => (_paths?.AreAllLost ?? true) && _effects.NowNs >= _knowsPathsFromNs;

    private bool IsPeerStuck => _paths is { IsHeard: true, Report: { } report }
        && (report.IsStuck || report.DiskState <= DiskState.Failed);

    private FailoverFacts FactsNow()
    {
        long now = _effects.NowNs;
        bool isStale = now - _gatewayAtNs > GatewayFreshNs;
        GatewayEvidence gateway = isStale && _gatewayLink != _link ? GatewayEvidence.Unknown : _gateway;

        // A Primary that found itself isolated stays so until it serves again: the peer may have taken over
        // since.
        bool isIsolated = Role == Role.Primary && _addressesWithdrawn;
        return new FailoverFacts
        {
            Role = Role,
            IsLinked = IsLinked,
            DiskState = DiskState,
            HasProof = HasProof,
            HasSession = !State.Session.IsNone,
            HasArbiter = _settings.HasArbiter,
            OnPeerLoss = _settings.OnPeerLoss,
            IsDisconnected = State.Disconnected,
            Autoswitch = _settings.Autoswitch,
            IsAnyPathUp = _paths?.IsAnyUp ?? false,
            IsPeerHeard = _paths?.IsHeard ?? false,
            AreAllPathsLost = AreAllPathsLost,
            IsPeerMute = _askedSinceNs >= 0 && now - _askedSinceNs > _settings.OutdateTimeoutNs,
            IsPeerStuck = IsPeerStuck,
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
        if (_paths is { AreAllUp: true } && Phase == LinkPhase.Joined)
        {
            _allPathsWereUp = true;
        }
    }

    /// <summary>
    /// What was found out about a loss is void with the next connection, and with the next loss.
    /// </summary>
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
