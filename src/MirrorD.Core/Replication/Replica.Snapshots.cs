using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Replication;

/// <summary>
/// A target that is about to be overwritten has a whole copy, of which nothing is under way on the disks (J0): a snapshot is
/// taken of it before J1 says that it is a mixture. If the source is lost for good there is something to go back to. One that
/// can't be taken holds nobody up, but a policy that would give up what only this node has.
/// </summary>
public sealed partial class Replica
{
    private PeerMessage.Begin? _begun;

    /// <summary>The snapshot that was asked for on this link was taken, or could not be.</summary>
    public void SnapshotEnded(int link, bool isTaken)
    {
        if (link == _link && Failure is null && _begun is { } begin)
        {
            _begun = null;
            _joinProgressNs = _effects.NowNs;
            if (isTaken || !(_decision!.Value.Case == HandshakeCase.SplitBrainByPolicy && IsUnique))
            {
                StoreTarget(begin);
            }
            else
            {
                _couldNotKeep = true;
                _effects.CloseLink("what the policy gives up can't be kept: an operator has to decide", operatorNeeded: true);
            }
        }

        Settle();
    }

    /// <summary>Why this node can't go back to its snapshot as things are; null when it can.</summary>
    public (string Message, string? Remedy)? RefusalOfRevert() =>
        Failure is not null || IsDiskless ? ("no disk is attached", $"mirrorctl attach {_settings.Resource}")
        : Role == Role.Primary ? ("this node is Primary: it has the newest data", "mirrorctl status")
        : IsLinked ? ($"{_settings.PeerName} is connected and completes the copy of this node", "mirrorctl status")
        : State.DiskState != DiskState.Inconsistent || State.ResyncFrom.IsNone
            ? ($"the copy of this node is {State.DiskState}, not a mixture that a resync left: there is nothing to go back from",
                "mirrorctl status")
        : _busy > 0 || _isStoring || _promotion is not null ? ("another change is under way", "try again")
        : null;

    /// <summary>This copy has something that the source lacks, or may have it.</summary>
    private bool IsUnique => _ownFacts!.SyncSetBlocks > 0 || _decision!.Value.Action == HandshakeAction.FullSync;

    private void BecomeTarget(PeerMessage.Begin begin)
    {
        if (_settings.SnapshotsTarget && _decision!.Value.Action != HandshakeAction.NoSync
            && State.DiskState > DiskState.Inconsistent && !State.JustCreated)
        {
            _begun = begin;
            _effects.TakeSnapshot(_link, keeps: _decision.Value.EndsSplit && IsUnique);
        }
        else
        {
            StoreTarget(begin);
        }
    }
}
