using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// An operator throws this Standby's copy away, as nothing on it is trusted any more. The peer agrees first: from then on, as
/// long as they are joined, it keeps its own copy, so that two such commands never take both. Then it is stored that
/// everything has to be copied, and only then the link ends; the goodbye lets the Primary go on at once (safety contract,
/// section 5, proof 1), and the next join is a full sync.
/// </summary>
public sealed partial class Replica
{
    private CommandAnswer? _invalidation;
    private bool _isInvalidationAgreed;
    private long _invalidationUntilNs;
    private int _keepsCopyLink = -1;
    private int _unansweredLink = -1;

    /// <summary>The peer throws its copy away, by this node's word: this one is to be the only one.</summary>
    private bool KeepsCopy => IsLinked && _keepsCopyLink == _link;

    /// <summary>Throws this copy away. Answers when that is durable; the copy then comes from the peer, whole.</summary>
    public void Invalidate(CommandAnswer answer)
    {
        if (RefusalOfInvalidate() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        _invalidation = answer;
        _isInvalidationAgreed = false;
        _invalidationUntilNs = _effects.NowNs + Limits.LeavePatienceNs;
        _effects.SendMessage(new PeerMessage.InvalidateAsk(true));
    }

    /// <summary>The peer wants to throw its copy away, or not any more.</summary>
    private void PeerInvalidates(bool isWanted)
    {
        _keepsCopyLink = -1;
        if (!isWanted)
        {
            return;
        }

        string reason = HasCommand || _detach is not null ? $"another change is under way on {_settings.NodeName}"
            : Failure is not null || IsDiskless || State.DiskState != DiskState.UpToDate || HasProof
                ? $"the copy of {_settings.NodeName} is {DiskState}"
            : "";
        _keepsCopyLink = reason.Length == 0 ? _link : -1;
        _effects.SendMessage(new PeerMessage.InvalidateAnswer(reason));
    }

    private void InvalidationAnswered(string reason)
    {
        if (_invalidation is null || _isInvalidationAgreed)
        {
            // To a question that was taken back.
            _unansweredLink = -1;
            return;
        }

        if (reason.Length > 0)
        {
            FinishInvalidation(false, $"{reason}: nothing was thrown away");
            return;
        }

        _isInvalidationAgreed = true;
        StoreInvalidated();
    }

    private void StoreInvalidated()
    {
        int link = _link;
        bool applied = false;
        if (Canary.Breaks(BrokenRule.InvalidatedBeforeStored))
        {
            ThrownAway();
        }

        Store(
            s =>
            {
                applied = link == _link && Role == Role.Standby && Phase == LinkPhase.Joined && !HasProof;
                return applied ? s with
                {
                    DiskState = DiskState.Inconsistent,
                    ResyncFrom = s.Current,
                    FullSyncNeeded = true,
                } : s;
            },
            () =>
            {
                if (applied && _invalidation is not null)
                {
                    ThrownAway();
                }

                GiveUpInvalidation("the link or the role changed meanwhile");
            });
    }

    private void ThrownAway()
    {
        _isEligible = false;
        _effects.Raise("invalidated", $"{_settings.Resource}: an operator has thrown away the copy of {_settings.NodeName}; "
            + $"{_settings.PeerName} brings a whole new one");
        if (IsLinked)
        {
            if (Phase == LinkPhase.Joined)
            {
                SayGoodbye();
            }

            _effects.CloseLink("the copy was thrown away", operatorNeeded: false);
        }

        FinishInvalidation(true, $"this copy is thrown away; {_settings.PeerName} brings a whole new one");
    }

    private void WatchInvalidation()
    {
        if (_invalidation is not null && !_isInvalidationAgreed && (!IsLinked || _effects.NowNs >= _invalidationUntilNs))
        {
            _unansweredLink = _link;
            GiveUpInvalidation(IsLinked ? $"{_settings.PeerName} has not answered" : "the link was lost");
        }
    }

    private void GiveUpInvalidation(string reason)
    {
        if (_invalidation is not null)
        {
            if (Phase == LinkPhase.Joined)
            {
                _effects.SendMessage(new PeerMessage.InvalidateAsk(false));
            }

            FinishInvalidation(false, $"{reason}: nothing was thrown away");
        }
    }

    private void FinishInvalidation(bool succeeded, string message)
    {
        CommandAnswer? answer = _invalidation;
        _invalidation = null;
        answer?.Invoke(succeeded, message, succeeded ? null : "mirrorctl status");
    }

    private (string Message, string? Remedy)? RefusalOfInvalidate() =>
        Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl attach {_settings.Resource}")
        : HasCommand || _detach is not null ? ("another change is under way", "mirrorctl status")
        : IsLinked && _unansweredLink == _link
            ? ($"{_settings.PeerName} has not answered when it was asked before", "mirrorctl status")
        : KeepsCopy ? ($"the copy of {_settings.PeerName} is being thrown away: this one has to stay", "mirrorctl status")
        : Role == Role.Primary ? ("this node is Primary: its copy is in use",
            $"mirrorctl switchover {_settings.Resource}, then invalidate; or invalidate the copy of {_settings.PeerName}")
        : Phase == LinkPhase.Target
            ? ("this copy is being brought up to date just now", "wait until mirrorctl status says Joined")
        : State.Disconnected ? ("this node is disconnected", $"mirrorctl connect {_settings.Resource}, and wait for Joined")
        : Phase != LinkPhase.Joined || State.DiskState != DiskState.UpToDate
            ? ($"the nodes are not joined: nothing else may be left than this copy",
                $"bring {_settings.PeerName} back and wait until mirrorctl status says Joined")
        : HasProof || State.PeerDiskState != DiskState.UpToDate
            ? ($"the copy of {_settings.PeerName} is not UpToDate: nothing else would be left than this one",
                $"mirrorctl explain {_settings.Resource}")
        : null;
}
