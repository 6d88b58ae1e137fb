using MirrorD.Core;
using MirrorD.Core.Replication;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Replication;

/// <summary>The picture that others see.</summary>
public sealed partial class ReplicatedResource
{
    private const long RateWindowNs = 1_000_000_000;

    private readonly Action _publish;
    private bool _publishPosted;
    private string? _holdUpName;
    private long _holdUpSinceNs;
    private long _rateAtNs;
    private long _rateFromBytes;
    private long _bytesPerSecond;
    private long _publishedAtNs;

    private void Changed()
    {
        if (!_publishPosted)
        {
            _publishPosted = true;
            _loop.Post(_publish);
        }
    }

    private void PublishNow()
    {
        _publishPosted = false;
        _publishedAtNs = _loop.NowNs;
        Status = Picture();
        if (_replica is not null)
        {
            NoteBeat();
        }

        _host.Publish(Status);
    }

    /// <summary>Called by the tick: the rate of a resync, and a fresh picture each second.</summary>
    private void NoteProgress()
    {
        long now = _loop.NowNs;
        if (now - _rateAtNs >= RateWindowNs)
        {
            long sent = _replica!.SyncCoveredBytes;
            _bytesPerSecond = sent >= _rateFromBytes && _rateAtNs > 0
                ? (long)((sent - _rateFromBytes) * 1e9 / (now - _rateAtNs)) : 0;
            _rateFromBytes = sent;
            _rateAtNs = now;
        }

        if (now - _publishedAtNs >= RateWindowNs)
        {
            Changed();
        }
    }

    private ResourceStatus Picture()
    {
        if (_replica is not { } replica)
        {
            return new ResourceStatus
            {
                Name = Name,
                Role = Role.Standby,
                DiskState = _loadFailure is null ? DiskState.Consistent : DiskState.Failed,
                Link = LinkState.Disconnected,
                PeerName = _options.PeerName,
                Mode = _options.Mode,
                HoldUp = _loadFailure is null ? null : HoldUpOf(new NamedState(
                    "MetadataDamaged", _loadFailure, "operator", string.Join("; ", _options.Volumes.Select(Inspect)))),
                Volumes = [],
            };
        }

        return new ResourceStatus
        {
            Name = Name,
            Role = replica.Role,
            DiskState = replica.DiskState,
            Link = LinkOf(replica),
            PeerRole = replica.PeerRole,
            PeerDiskState = replica.State.PeerDiskState,
            PeerName = _options.PeerName,
            Session = replica.State.Session,
            Generation = replica.State.Current,
            Promotions = replica.State.Promotions,
            Proof = replica.State.PeerExcluded ? ProofKind.PeerExcluded
                : replica.HasProof ? replica.State.Proof.Kind : ProofKind.None,
            Resync = ProgressOf(replica),
            HoldUp = HoldUpOf(replica.DescribeHoldUp()),
            HeldRequests = replica.HeldRequests,
            RepairedReads = replica.RepairedReads,
            Verify = replica.Verify,
            SnapshotTakenAt = _options.Snapshots?.TakenAt,
            IsCopyOpen = _isCopyOpen,
            Mode = _options.Mode,
            AheadBytes = replica.AheadBytes,
            AheadSinceNs = replica.AheadSinceNs < 0 ? null : replica.AheadSinceNs,
            Step = _roles.Step,
            HandshakeCase = replica.LastDecision?.Case.ToString(),
            Volumes = [.. _volumes.Select((v, i) => new VolumeStatus(
                _options.Volumes[i].Name, _options.Volumes[i].Data.Name, v!.LengthBytes,
                replica.Map(i).DirtyBlocks * Limits.BlockBytes, v.Reads, v.Writes))],
        };
    }

    private static string Inspect(VolumeOptions volume) =>
        $"mirrorctl inspect {volume.Metadata.Name}{(volume.Metadata.Name == volume.Data.Name ? "" : " --external")}";

    private ResyncProgress? ProgressOf(Replica replica) =>
        replica.Phase == LinkPhase.Source && replica.SyncTotalBytes > 0
            ? new ResyncProgress(replica.SyncTotalBytes, replica.DirtyBlocks * Limits.BlockBytes,
                replica.SyncSentBytes, replica.SyncStartedNs, _bytesPerSecond, replica.SyncEqualBytes)
            : null;

    private LinkState LinkOf(Replica replica) => replica.Phase switch
    {
        LinkPhase.Down when replica.LastDecision is
        {
            Action: Core.Handshake.HandshakeAction.SplitBrain
            or Core.Handshake.HandshakeAction.Refuse or Core.Handshake.HandshakeAction.Operator
        } => LinkState.Refused,
        LinkPhase.Down => _link.IsBusy ? LinkState.Authenticating : LinkState.Disconnected,
        LinkPhase.Joining => LinkState.Joining,
        LinkPhase.Source => LinkState.SyncSource,
        LinkPhase.Target => LinkState.SyncTarget,
        LinkPhase.Joined when replica.KeepsOnlyCopy || replica.DiskLoss is not null => LinkState.Diskless,
        LinkPhase.Joined => LinkState.Joined,
    };

    private HoldUp? HoldUpOf(NamedState? state)
    {
        if (state?.Name != _holdUpName)
        {
            _holdUpName = state?.Name;
            _holdUpSinceNs = _loop.NowNs;
        }

        // What the replica does not know of.
        string? remedy = state is { Name: "ResyncTargetWithoutSource" } && _options.Snapshots?.TakenAt is { } taken
            ? $"bring {_options.PeerName} back; or go back to the copy of {taken:u}: mirrorctl revert {Name}"
            : state?.Remedy;
        return state is null ? null : new HoldUp(state.Name, state.Reason, state.Owner, remedy, _holdUpSinceNs);
    }
}
