using MirrorD.Core.Replication;
using MirrorD.Engine.Control;

namespace MirrorD.Engine.Replication;

/// <summary>Snapshots of a target before a resync, and the way back to one when the source is lost.</summary>
public sealed partial class ReplicatedResource
{
    void IReplicaEffects.TakeSnapshot(int link, bool keeps)
    {
        Replica asking = _replica!;
        _options.Snapshots!.Take(keeps, problem =>
        {
            _host.Raise(new ResourceEvent(_loop.NowNs, problem is null ? "snapshot-taken" : "snapshot-failed",
                $"{Name}: " + (problem is not null ? $"no snapshot before the resync: {problem}"
                    : keeps ? "what this side gives up is kept in a snapshot" : "a snapshot before the resync")));
            if (asking == _replica)
            {
                asking.SnapshotEnded(link);
            }

            AfterEvent();
        });
    }

    void IReplicaEffects.DropSnapshot() => _options.Snapshots?.Drop();

    /// <summary>
    /// The disks are out of use until the snapshot is back whole, and stored as what it is: an old copy, of which the peer
    /// need not remember what it lacks. After a crash in between the copy is the mixture that it was.
    /// </summary>
    private void Revert(Action<CommandOutcome> answered)
    {
        if (WhyNotRevert() is { } refusal)
        {
            answered(refusal);
            return;
        }

        DateTimeOffset takenAt = _options.Snapshots!.TakenAt!.Value;
        _isAttaching = true;
        _link.Stop();
        long[] dataBytes = Array.ConvertAll(_stores, store => store.Current.DataBytes);
        _replica!.Detach((_, _, _) => _options.Snapshots.Restore(dataBytes, notRestored =>
            Reload(notRestored is null ? VolumeAgreement.Revert : null, notLoaded =>
            {
                _isAttaching = false;
                if (!_isStopped && notLoaded is null)
                {
                    _link.Start();
                }

                answered(Reverted(takenAt, notRestored ?? notLoaded));
                AfterEvent();
            })), $"goes back to the snapshot of {takenAt:u}");
    }

    private CommandOutcome Reverted(DateTimeOffset takenAt, string? problem)
    {
        if (problem is not null)
        {
            return new CommandOutcome(false, problem, $"look at the disk; then again: mirrorctl revert {Name}");
        }

        _host.Raise(new ResourceEvent(_loop.NowNs, "reverted", $"{Name}: this copy is that of {takenAt:u} again"));
        return new CommandOutcome(true,
            $"this copy is whole again, as it was at {takenAt:u}; what came later is only on {_options.PeerName}. "
            + $"If that is lost for good: mirrorctl promote {Name} --force");
    }

    private CommandOutcome? WhyNotRevert()
    {
        if (_replica is null || _isAttaching || _isStopped)
        {
            return NotLoaded();
        }

        if (_replica.RefusalOfRevert() is { } refusal)
        {
            return new CommandOutcome(false, refusal.Message, refusal.Remedy);
        }

        return _options.Snapshots?.TakenAt is null
            ? new CommandOutcome(false, "there is no snapshot from before the resync", $"bring {_options.PeerName} back")
            : RefusalWhileRequestsLast();
    }
}
