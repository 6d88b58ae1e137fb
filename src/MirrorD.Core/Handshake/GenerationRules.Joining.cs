using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Handshake;

/// <content>The stores of the steps J1, J2, J4, J5 and J6; each is one write.</content>
public static partial class GenerationRules
{
    /// <summary>
    /// J1, target: Outdated when there is nothing to sync, else Inconsistent; its proofs and grants are void.
    /// A full sync that is interrupted stays a full sync until J5.
    /// </summary>
    /// <param name="target">The target's stored state.</param>
    /// <param name="action">What was decided; it joins.</param>
    /// <param name="source">The source's facts.</param>
    public static Superblock BecomeTarget(Superblock target, HandshakeAction action, HandshakeFacts source)
    {
        Invariant.Require(
            action is HandshakeAction.NoSync or HandshakeAction.BitmapSync or HandshakeAction.FullSync,
            "only a joining node is a target");
        Invariant.Require(action != HandshakeAction.NoSync || target.DiskState != DiskState.Inconsistent,
            "an Inconsistent copy is never joined without a sync");
        return target with
        {
            DiskState = action == HandshakeAction.NoSync || Canary.Breaks(BrokenRule.TargetNotInconsistent)
                ? DiskState.Outdated : DiskState.Inconsistent,
            ResyncFrom = action == HandshakeAction.NoSync ? Generation.None : source.Current,
            FullSyncNeeded = target.FullSyncNeeded || action == HandshakeAction.FullSync,
            Proof = Proof.None,
            PeerExcluded = false,
        };
    }

    /// <summary>
    /// Within J1, target: in a split brain whose base both know, this side goes back to the base, so that an interrupted
    /// resync goes on: the source is ahead by its dirty map, and what this side had changed stays in its own. The role that
    /// it may have had belonged to what it gives up.
    /// </summary>
    public static Superblock GiveWay(Superblock target, Generation knownBase)
    {
        Invariant.Require(target.Bitmap.Matches(knownBase), "the dirty map counts since the base");
        return target with
        {
            Current = knownBase,
            Bitmap = Generation.None,
            History = Merge(knownBase, [target.Current], target.History),
            PeerMayHaveCurrent = false,
            WasPrimary = false,
        };
    }

    /// <summary>J2, source: the peer's copy does not count until the next join.</summary>
    public static Superblock ExcludePeer(Superblock source, DiskState peerDiskState) =>
        source with { PeerExcluded = true, PeerDiskState = peerDiskState };

    /// <summary>
    /// J4, source: the new session; everything that belonged to an earlier one is void, and from now on the
    /// peer may have this generation. The copy is no longer a new one.
    /// </summary>
    /// <param name="source">The source's stored state.</param>
    /// <param name="session">Fresh.</param>
    /// <param name="target">The target's node.</param>
    /// <param name="newResourceId">Taken when the resource has no id yet; the same for all volumes.</param>
    public static Superblock CommitSource(
        Superblock source, SessionId session, NodeId target, Guid newResourceId)
    {
        Invariant.Require(!session.IsNone && session != source.Session,
            "every join has a session of its own");
        return source with
        {
            ResourceId = source.ResourceId == Guid.Empty ? newResourceId : source.ResourceId,
            Peer = target,
            Session = session,
            Proof = Proof.None,
            PeerExcluded = source.PeerExcluded && Canary.Breaks(BrokenRule.ProofKeptOverSession),
            PeerMayHaveCurrent = true,
            JustCreated = false,
            FullSyncNeeded = false,
        };
    }

    /// <summary>
    /// J5, target: it takes over the source's generation and session and is UpToDate. Its dirty map and
    /// activity log are emptied after this is durable.
    /// </summary>
    /// <param name="target">The target's stored state.</param>
    /// <param name="commit">What the source stored in J4.</param>
    /// <param name="sourceSequence">Sequence of the source's superblock of this volume.</param>
    /// <param name="keepsRole">The target is about to resume its role: WasPrimary stays.</param>
    public static Superblock AdoptFromSource(
        Superblock target, JoinCommit commit, ulong sourceSequence, bool keepsRole) =>
        target with
        {
            ResourceId = commit.ResourceId,
            Peer = commit.Source,
            PeerBoot = commit.SourceBoot,
            PeerSequence = Math.Max(target.PeerSequence, sourceSequence),
            PeerDiskState = DiskState.UpToDate,
            Session = commit.Session,
            Promotions = Math.Max(target.Promotions, commit.Promotions),
            Current = commit.Current,
            Bitmap = Generation.None,
            History = Merge(commit.Current, [target.Current, target.Bitmap], commit.History, target.History),
            DiskState = DiskState.UpToDate,
            Proof = Proof.None,
            PeerExcluded = false,
            PeerMayHaveCurrent = false,
            WasPrimary = target.WasPrimary && keepsRole,
            ResyncFrom = Generation.None,
            FullSyncNeeded = false,
            JustCreated = false,
        };

    /// <summary>J6, source: both sides have the same data and history.</summary>
    /// <param name="source">The source's stored state.</param>
    /// <param name="keepsRole">The source is Primary, or about to resume its role: WasPrimary stays.</param>
    /// <param name="targetBoot">This run of the target's host.</param>
    /// <param name="targetSequence">Sequence of the target's superblock of this volume after J5.</param>
    public static Superblock FinishSource(
        Superblock source, bool keepsRole, BootId targetBoot, ulong targetSequence) => source with
        {
            DiskState = DiskState.UpToDate,
            PeerDiskState = DiskState.UpToDate,
            PeerBoot = targetBoot,
            PeerSequence = Math.Max(source.PeerSequence, targetSequence),
            Bitmap = Generation.None,
            History = Merge(source.Current, [source.Bitmap], source.History),
            PeerMayHaveCurrent = false,
            WasPrimary = source.WasPrimary && keepsRole,
            ResyncFrom = Generation.None,
        };
}
