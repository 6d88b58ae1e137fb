using MirrorD.Core.Failover;
using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// A Standby that takes over by itself: from a lost peer by <see cref="FailoverTable"/>, or at a join by
/// <see cref="RoleAtJoin"/> (safety contract, section 5). The steps are the engine's.
/// </summary>
public sealed partial class Replica
{
    private const long TakeoverRetryNs = 5_000_000_000;

    private bool _isRoleOpen;
    private bool _takingOver;
    private long _takeoverRetryAtNs;
    private long _goneSinceNs = -1;

    /// <summary>
    /// Loop time since which the peer counts as gone, for the record of a takeover; -1 when it does not.
    /// </summary>
    public long PeerGoneSinceNs => _goneSinceNs;

    /// <summary>
    /// A Standby of which it is known that its peer was Primary after it. What programs here read before,
    /// and what they still ask for, belongs to an older time: nothing of it may go on when this node is
    /// Primary again.
    /// </summary>
    public bool IsOvertaken => Role == Role.Standby
        && (PeerRole == Role.Primary || _peerPromotions > State.Promotions
            || LastDecision is { Case: HandshakeCase.PeerAhead or HandshakeCase.PeerFarAhead }
                or { EndsSplit: true, SelfIs: HandshakePart.Target })
        && !Canary.Breaks(BrokenRule.OvertakenDeviceKept);

    /// <summary>Null when this Standby may take over now, by the table; else why not.</summary>
    public string? WhyNotTakeOver()
    {
        if (Failure is not null || _stopping || Role == Role.Primary)
        {
            return Failure ?? (_stopping ? "this daemon is stopping" : "this node is Primary already");
        }

        if (MayTakeRoleAtJoin)
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

    /// <summary>
    /// Refusals made its paths lost before dead-after: its daemon ended, and the release helper still leaves
    /// a new one time to serve again.
    /// </summary>
    private bool MayBeBackInTime => _paths is { AreAllLost: true, WasHeardLately: true };

    private void SeekTakeover()
    {
        if (IsLinked || _paths is null)
        {
            return;
        }

        bool isGone = AreAllPathsLost || IsPeerStuck;
        _goneSinceNs = !isGone ? -1 : _goneSinceNs < 0 ? _effects.NowNs : _goneSinceNs;
        FailoverDecision decision = Note(FailoverTable.Decide(FactsNow()));
        if (_promotion is not null)
        {
            // A claim that runs is waited for: a grant without a promotion would leave nobody to serve.
            bool isUnderWay = _claiming || _storingProof || _promotingAlone || HasProof;
            if (_isAutomatic && !isUnderWay && decision.Action != FailoverAction.TakeOver
                && decision.Case != FailoverCase.StandbyAsksGateway)
            {
                FinishPromotion(false,
                    WhyStandby(decision.Case) ?? $"the state changed: {decision.Case}", null);
            }
        }

        switch (decision.Action)
        {
            case FailoverAction.AskGateway:
            case FailoverAction.TakeOver when _takingOver && decision.Case != FailoverCase.StandbyResumes:
                // Also while the steps are under way: they go on only with evidence that is fresh.
                AskGateway();
                break;
            case FailoverAction.TakeOver
                when !_takingOver && _promotion is null && _effects.NowNs >= _takeoverRetryAtNs:
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

    /// <summary>
    /// What is known of the peer, or of the right to serve: for the record of a takeover, without full stop.
    /// </summary>
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

    private void OpenRole()
    {
        _isRoleOpen = true;
        _takeoverRetryAtNs = 0;
        TakeRoleAtJoin();
    }

    /// <summary>
    /// Both are joined and nobody is Primary: the node whose role it was, or that is preferred, takes it by
    /// itself. It tries again until somebody has had the role since.
    /// </summary>
    private void TakeRoleAtJoin()
    {
        _isRoleOpen &= MayTakeRoleAtJoin && Role == Role.Standby && PeerRole == Role.Standby;
        bool mayTry = !_takingOver && _promotion is null
            && _effects.NowNs >= _takeoverRetryAtNs && !_stopping;
        if (_isRoleOpen && mayTry && IsRoleOurs)
        {
            BeginTakeover(
                _ownFacts!.IsCrashedPrimary ? "this node was Primary, and nobody is now"
                    : "both are joined, and nobody is Primary", resumes: true);
        }
    }

    /// <summary>
    /// A crashed Primary does not wait until its peer has everything: a resync may take hours, and its clients wait.
    /// </summary>
    private bool MayTakeRoleAtJoin => Phase == LinkPhase.Joined
        || (Phase == LinkPhase.Source && State.DiskState == DiskState.UpToDate && _ownFacts!.IsCrashedPrimary);

    /// <summary>
    /// If the role was this node's before, that stays stored until it has it again: a second crash in between must
    /// forget neither whose role it was nor that a block device waits.
    /// </summary>
    private bool KeepsRole => IsRoleOurs && !_peerIsPromoting && !IsOvertaken;

    /// <summary>Of two Standbys that join, this one takes the role.</summary>
    private bool IsRoleOurs => Role == Role.Standby && PeerRole == Role.Standby && !_roleWasTakenAway
        && RoleAtJoin.IsOurs(_ownFacts!, _peerFacts!, _settings.IsPreferred);
}
