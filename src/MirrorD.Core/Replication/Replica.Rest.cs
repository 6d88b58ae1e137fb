namespace MirrorD.Core.Replication;

/// <summary>When nothing depends on the next tick.</summary>
public sealed partial class Replica
{
    /// <summary>
    /// Joined, with nothing under way, asked for or waited for: until something else happens a tick finds nothing to do, and
    /// nothing is late if ticks are rarer. A standstill is noticed all the same: its guard measures from the last tick.
    /// </summary>
    public bool IsAtRest => Phase == LinkPhase.Joined && Failure is null && !IsDiskless && _diskLoss is null && !_keeps
        && IsNothingUnderWay && IsNothingAsked && !_isRoleOpen && _paths is not { IsProductionLost: true };

    private bool IsNothingUnderWay => _busy == 0 && _issued.Count == 0 && _sent.Count == 0 && _ahead.Count == 0
        && _held.Count == 0 && _readsAhead.Count == 0 && _remoteReads.Count == 0 && _awaitingRoom.Count == 0
        && _awaitingPeer.Count == 0 && _stores.Count == 0 && _whenQuiet.Count == 0 && !_passRunning && !_checkpointWanted
        && _unstable.IsEmpty && !HasChangedPages && _verify is null;

    private bool IsNothingAsked => !_stopping && !_takingOver && !_saysFarewell && _saidGoodbyeLink != _link
        && _promotion is null && _demotion is null && _growth is null && _ask is null && _disconnect is null
        && _connect is null && _invalidation is null && _detach is null && _discard is null
        && !_claiming && _keepingClaimLink != _link;
}
