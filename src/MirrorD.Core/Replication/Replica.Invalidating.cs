using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>
/// An operator throws this Standby's copy away, as nothing on it is trusted any more. It is stored that everything has to be
/// copied before the link ends; the goodbye lets the Primary go on at once (safety contract, section 5, proof 1), and the next
/// join is a full sync. Only where the peer's copy is joined and UpToDate: nothing else would be left.
/// </summary>
public sealed partial class Replica
{
    private CommandAnswer? _invalidation;

    /// <summary>Throws this copy away. Answers when that is durable; the copy then comes from the peer, whole.</summary>
    public void Invalidate(CommandAnswer answer)
    {
        if (RefusalOfInvalidate() is { } refusal)
        {
            answer(false, refusal.Message, refusal.Remedy);
            return;
        }

        int link = _link;
        bool applied = false;
        _invalidation = answer;
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

                FinishInvalidation(false, "the link or the role changed meanwhile: nothing was thrown away");
            });
    }

    private void ThrownAway()
    {
        _isEligible = false;
        _effects.Raise("invalidated", $"{_settings.Resource}: an operator has thrown away the copy of {_settings.NodeName}; "
            + $"{_settings.PeerName} brings a whole new one");
        if (IsLinked)
        {
            SayGoodbye();
            _effects.CloseLink("the copy was thrown away", operatorNeeded: false);
        }

        FinishInvalidation(true, $"this copy is thrown away; {_settings.PeerName} brings a whole new one");
    }

    private void FinishInvalidation(bool succeeded, string message)
    {
        CommandAnswer? answer = _invalidation;
        _invalidation = null;
        answer?.Invoke(succeeded, message, succeeded ? null : "mirrorctl status");
    }

    private (string Message, string? Remedy)? RefusalOfInvalidate() =>
        Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl attach {_settings.Resource}")
        : _invalidation is not null || _disconnect is not null || IsRoleChanging || _detach is not null
            ? ("another change is under way", "mirrorctl status")
        : Role == Role.Primary ? ("this node is Primary: its copy is in use",
            $"mirrorctl switchover {_settings.Resource}, then invalidate; or invalidate the copy of {_settings.PeerName}, there")
        : Phase == LinkPhase.Target ? ("this copy is being brought up to date just now", "wait until mirrorctl status says Joined")
        : State.Disconnected ? ("this node is disconnected", $"mirrorctl connect {_settings.Resource}, and wait for Joined")
        : Phase != LinkPhase.Joined || State.DiskState != DiskState.UpToDate
            ? ($"the nodes are not joined: nothing else may be left than this copy",
                $"bring {_settings.PeerName} back and wait until mirrorctl status says Joined")
        : HasProof || State.PeerDiskState != DiskState.UpToDate
            ? ($"the copy of {_settings.PeerName} is not UpToDate: nothing else would be left than this one",
                $"mirrorctl explain {_settings.Resource}")
        : null;
}
