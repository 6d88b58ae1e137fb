using MirrorD.Core.Replication;
using MirrorD.Engine.Control;
using MirrorD.Engine.Metadata;

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
                asking.SnapshotEnded(link, isTaken: problem is null);
            }

            AfterEvent();
        });
    }

    void IReplicaEffects.DropSnapshot() => _options.Snapshots?.Drop();

    /// <summary>
    /// The disks are out of use until the snapshot is back whole. Before the first byte is put back it is stored that everything
    /// has to be copied: what goes back to old data may have left the source's map, and a resync that resumes after a crash
    /// in between, or after a failure, would never bring it. When all is back it is stored as what it is: an old copy.
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
        void End(string? problem, bool isLoaded)
        {
            _isAttaching = false;
            if (!_isStopped && isLoaded)
            {
                _link.Start();
            }

            answered(Reverted(takenAt, problem));
            AfterEvent();
        }

        void PutBack() => _options.Snapshots.Restore(dataBytes, notRestored => Reload(
            notRestored is null ? VolumeAgreement.Revert : null,
            notLoaded => End(notRestored ?? notLoaded, notLoaded is null)));

        _replica!.Detach(
            (succeeded, message, _) =>
            {
                if (succeeded)
                {
                    StoreThatEverythingIsNeeded(PutBack, error =>
                        Reload(null, _ => End($"storing that everything has to be copied failed with errno {error}", isLoaded: false)));
                }
                else
                {
                    End(message, isLoaded: false);
                }
            },
            $"goes back to the snapshot of {takenAt:u}");
    }

    /// <summary>Nobody else stores anything while the disks are out of use.</summary>
    private void StoreThatEverythingIsNeeded(Action stored, Action<int> failed)
    {
        int missing = _stores.Length;
        int failure = 0;
        foreach (VolumeMetadataStore store in _stores)
        {
            store.StoreSuperblock(store.Current with { FullSyncNeeded = true }, error =>
            {
                failure = failure != 0 ? failure : error;
                if (--missing > 0)
                {
                    return;
                }

                if (failure == 0)
                {
                    stored();
                }
                else
                {
                    failed(failure);
                }
            });
        }
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
