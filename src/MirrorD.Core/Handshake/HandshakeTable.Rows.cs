using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using static MirrorD.Core.Handshake.HandshakeAction;
using static MirrorD.Core.Handshake.HandshakeCase;
using static MirrorD.Core.Handshake.HandshakePart;

namespace MirrorD.Core.Handshake;

/// <content>The table of section 4 of the safety contract, as data.</content>
public static partial class HandshakeTable
{
    /// <summary>The rows in order; one always holds.</summary>
    public static IReadOnlyList<HandshakeRow> Rows { get; } =
    [
        Stop(SameNode, "both sides have the same node id", p => p.Self.Node == p.Peer.Node, Refuse),
        Stop(SizesDiffer, "number of the volumes differs, or their sizes and one side can't hold the larger one", p => p.SizesDiffer, Refuse),
        new(DisklessPrimary, "a Primary without disk, and the copy that it went on with, which has lost nothing since",
            p => IsItsCopy(p.Self, p.Peer) || IsItsCopy(p.Peer, p.Self), _ => ServeDiskless, p => SourceIf(HasNoDisk(p.Peer))),
        Stop(NoDisk, "one side has no usable disk", p => HasNoDisk(p.Self) || HasNoDisk(p.Peer), Refuse),
        Stop(ModesDiffer, "the sides are configured for different modes", p => p.Self.Mode != p.Peer.Mode, Refuse),
        Stop(VolumesDisagree, "the volumes of one side disagree", p =>
            p.Self.VolumesDisagree || p.Peer.VolumesDisagree, HandshakeAction.SplitBrain),

        new(BothNew, "both were just created", p => p.Self.JustCreated && p.Peer.JustCreated,
            NewAction, NewPart),
        new(PeerNew, "the peer was just created", p => p.Peer.JustCreated,
            p => OneNew(p.Peer), _ => Source),
        new(SelfNew, "this side was just created", p => p.Self.JustCreated,
            p => OneNew(p.Self), _ => Target),
        new(RolledBack, "a superblock sequence is lower than seen before",
            p => p.SelfRolledBack || p.PeerRolledBack,
            p => p.SelfRolledBack && p.PeerRolledBack ? Operator : FullSync, p => SourceIf(p.PeerRolledBack)),

        new(PeerAhead, "S = Pb and not Sb = P", p => p.PeerIsNext && !p.SelfIsNext,
            _ => BitmapSync, _ => Target),
        new(SelfAhead, "Sb = P and not S = Pb", p => p.SelfIsNext && !p.PeerIsNext,
            _ => BitmapSync, _ => Source),
        new(PeerFarAhead, "S in the peer's history, P not in mine",
            p => !p.PeerIsNext && p.PeerKnowsSelf && !p.SelfKnowsPeer, _ => FullSync, _ => Target),
        new(SelfFarAhead, "P in my history, S not in the peer's",
            p => !p.SelfIsNext && p.SelfKnowsPeer && !p.PeerKnowsSelf, _ => FullSync, _ => Source),
        new(SplitBrainResolved, "a common generation, and by an operator's word one side gives way",
            p => !p.SameGeneration && p.HasCommonGeneration && p.Self.GivesWay != p.Peer.GivesWay,
            p => p.HasKnownBase ? BitmapSync : FullSync, p => SourceIf(p.Peer.GivesWay)),
        new(SplitBrainByPolicy, "Sb = Pb, and by the policy of both sides one gives way",
            p => p.PartByPolicy != None, _ => BitmapSync, p => p.PartByPolicy),
        Stop(SplitBrainKnownBase, "Sb = Pb", p => p.HasKnownBase, HandshakeAction.SplitBrain),
        Stop(HandshakeCase.SplitBrain, "any common generation", p =>
            !p.SameGeneration && p.HasCommonGeneration, HandshakeAction.SplitBrain),
        Stop(Unrelated, "nothing in common", p => !p.SameGeneration, Refuse),

        new(SameInconsistent, "one side Inconsistent, the other is source (both: operator)",
            p => IsInconsistent(p.Self) || IsInconsistent(p.Peer),
            p => IsInconsistent(p.Self) && IsInconsistent(p.Peer) ? Operator : NoSync,
            p => SourceIf(IsInconsistent(p.Peer))),
        new(SameFullSync, "one side needs everything, the other is source",
            p => p.Self.FullSyncNeeded != p.Peer.FullSyncNeeded, _ => FullSync,
            p => SourceIf(p.Peer.FullSyncNeeded)),
        new(SamePrimary, "one side is Primary: it is source",
            p => p.Self.IsPrimary != p.Peer.IsPrimary, _ => NoSync, p => SourceIf(p.Self.IsPrimary)),
        new(SamePromotions, "promotions differ: the higher is source",
            p => p.Self.Promotions != p.Peer.Promotions, _ => NoSync,
            p => SourceIf(p.Self.Promotions > p.Peer.Promotions)),
        new(SameCrashed,
            "exactly one crashed primary: if synchronous and its host ran on, the other is source",
            p => p.Self.IsCrashedPrimary != p.Peer.IsCrashedPrimary, _ => NoSync,
            p => SourceIf(p.Self.IsCrashedPrimary != SurvivorIsSource(p))),
        new(SameBitmap, "one side holds a bitmap generation: it is source",
            p => p.Self.Bitmap.IsNone != p.Peer.Bitmap.IsNone, _ => NoSync,
            p => SourceIf(!p.Self.Bitmap.IsNone)),
        new(SameDirty, "one side has a non-empty sync set: it is source",
            p => p.Self.SyncSetBlocks > 0 != p.Peer.SyncSetBlocks > 0, _ => NoSync,
            p => SourceIf(p.Self.SyncSetBlocks > 0)),
        new(Same, "no dirty blocks", p => !p.HasDirtyBlocks, _ => NoSync, SamePart),
        Stop(SameUndecided, "still undecided", _ => true, Operator),
    ];

    private static HandshakeRow Stop(
        HandshakeCase name, string condition, Func<HandshakePair, bool> holds, HandshakeAction action) =>
        new(name, condition, holds, _ => action, _ => None);

    private static HandshakePart SourceIf(bool selfIsSource) => selfIsSource ? Source : Target;

    private static bool HasNoDisk(HandshakeFacts side) =>
        side.DiskState is DiskState.Diskless or DiskState.Failed;

    /// <summary>
    /// Nobody has served it since, and its host ran on: whatever was acknowledged through it is still there, flushed
    /// or not.
    /// </summary>
    private static bool IsItsCopy(HandshakeFacts diskless, HandshakeFacts other) =>
        HasNoDisk(diskless) && diskless.IsPrimary && !other.IsPrimary && other.DiskState == DiskState.UpToDate
        && other is { HasProof: true, VolumesDisagree: false } && diskless.Current.Matches(other.Current)
        && diskless.Promotions == other.Promotions
        && (diskless.PeerBoot == other.Boot || Canary.Breaks(BrokenRule.ResumedAfterPowerCut));

    private static bool IsInconsistent(HandshakeFacts side) => side.DiskState == DiskState.Inconsistent;

    /// <summary>
    /// The source must have been named on its own side, and not contradicted on the other. Both empty:
    /// nothing to sync but what one of them has written since.
    /// </summary>
    private static HandshakeAction NewAction(HandshakePair pair) =>
        (pair.Self.CreationSource, pair.Peer.CreationSource) switch
        {
            (CreationSource.Self, CreationSource.Peer or CreationSource.Unnamed) => FullSync,
            (CreationSource.Peer or CreationSource.Unnamed, CreationSource.Self) => FullSync,
            (CreationSource.Empty, CreationSource.Empty)
                when pair.Self.SyncSetBlocks == 0 || pair.Peer.SyncSetBlocks == 0 => NoSync,
            _ => Operator,
        };

    private static HandshakePart NewPart(HandshakePair pair) =>
        pair.Self.CreationSource != CreationSource.Empty
            ? SourceIf(pair.Self.CreationSource == CreationSource.Self)
            : pair.HasDirtyBlocks ? SourceIf(pair.Self.SyncSetBlocks > 0)
            : pair.Self.IsPrimary != pair.Peer.IsPrimary ? SourceIf(pair.Self.IsPrimary)
            : SamePart(pair);

    /// <summary>A new copy whose own data was named as what counts is not overwritten unasked.</summary>
    private static HandshakeAction OneNew(HandshakeFacts created) =>
        created.CreationSource == CreationSource.Self ? Operator : FullSync;

    private static bool SurvivorIsSource(HandshakePair pair)
    {
        (HandshakeFacts crashed, HandshakeFacts other) = pair.Self.IsCrashedPrimary
            ? (pair.Self, pair.Peer)
            : (pair.Peer, pair.Self);
        bool isSynchronous = (pair.Self.IsSynchronous && pair.Peer.IsSynchronous)
            || Canary.Breaks(BrokenRule.CrashedAheadIsTarget);
        return isSynchronous && crashed.PeerBoot == other.Boot;
    }

    private static HandshakePart SamePart(HandshakePair pair)
    {
        bool self = pair.Self.DiskState == DiskState.UpToDate;
        bool peer = pair.Peer.DiskState == DiskState.UpToDate;
        return SourceIf(self != peer ? self : pair.SelfHasLowerNode);
    }
}
