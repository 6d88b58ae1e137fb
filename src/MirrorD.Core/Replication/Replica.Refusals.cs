using MirrorD.Core.Failover;
using MirrorD.Formats;

namespace MirrorD.Core.Replication;

/// <summary>What a command would be answered at once: asked before anything is prepared for it. Changes nothing.</summary>
public sealed partial class Replica
{
    private long _linkLostAtNs;

    /// <summary>Why <see cref="Promote"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfPromotion(bool force, bool automatic = false) =>
        Failure is not null ? (Failure, "replace the disk")
        : Role == Role.Primary ? RefusalWithoutDisk()
        : Phase == LinkPhase.Target ? ("this copy is being brought up to date", "wait for the resync to end")
        : Phase is LinkPhase.Joined or LinkPhase.Source && PeerRole == Role.Primary
            ? ($"{_settings.PeerName} is Primary", $"mirrorctl switchover {_settings.Resource}")
        : !IsLinked && !force && !automatic && IsPeerHeardAsPrimary
            ? ($"{_settings.PeerName} is Primary, and heard on another network than the link's",
                $"bring the link back, or on {_settings.PeerName}: mirrorctl demote {_settings.Resource}; if it can't be "
                + $"reached: mirrorctl promote {_settings.Resource} --force")
        : null;

    /// <summary>Why <see cref="RequestRole"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfRequest() =>
        Phase == LinkPhase.Joined && PeerRole == Role.Primary ? null : RefusalOfPromotion(force: false);

    /// <summary>Why <see cref="HandOver"/> would be refused as things are; null when it is worth a try.</summary>
    public (string Message, string? Remedy)? RefusalOfHandOver() =>
        Role == Role.Primary && Phase != LinkPhase.Joined
            ? ($"{_settings.PeerName} is not joined: {Phase}", "wait until mirrorctl status says Joined")
            : null;

    /// <summary>
    /// It was heard after the link was lost: asked to store Outdated it would refuse. One that is mute or stuck would
    /// not answer.
    /// </summary>
    private bool IsPeerHeardAsPrimary =>
        _effects.NowNs - _linkLostAtNs > _settings.LinkTimeoutNs + Limits.LossNoticeNs
        && _paths is { IsAnyUp: true, Report: { Role: Role.Primary, IsStuck: false, DiskState: > DiskState.Failed } }
        && !FactsNow().IsPeerMute;
}
