using MirrorD.Formats;

namespace MirrorD.Core.Handshake;

/// <content>A split brain that both sides' policy decides.</content>
public sealed partial record HandshakePair
{
    /// <summary>
    /// This side's part in the end of a split brain by policy; None where an operator has to decide. Of two Standbys that
    /// both changed nothing the one that was promoted later is kept.
    /// </summary>
    public HandshakePart PartByPolicy
    {
        get
        {
            bool self = GivesWayByPolicy(Self, Peer);
            bool peer = GivesWayByPolicy(Peer, Self);
            bool selfIsKept = self != peer ? peer
                : Self.Promotions != Peer.Promotions ? Self.Promotions > Peer.Promotions : SelfHasLowerNode;
            return WhyNoPolicy is not null || !(self || peer) ? HandshakePart.None
                : selfIsKept ? HandshakePart.Source : HandshakePart.Target;
        }
    }

    /// <summary>
    /// What keeps every policy from deciding, whoever would give way: what changed is known on both sides only from a common
    /// base on, and only whole copies can be weighed. Null when there is nothing of that.
    /// </summary>
    public string? WhyNoPolicy =>
        Self.SplitBrainPolicy != Peer.SplitBrainPolicy
            ? $"'split-brain' is {Self.SplitBrainPolicy.InWords()} here and {Peer.SplitBrainPolicy.InWords()} there"
        : Self.SplitBrainPolicy == SplitBrainPolicy.Manual ? "'split-brain' is manual"
        : Self.GivesWay || Peer.GivesWay ? "an operator was asked already"
        : !HasKnownBase ? "the split is older than what the nodes remember"
        : !IsWhole(Self) || !IsWhole(Peer) ? "not both copies are whole"
        : Self.IsPrimary && Peer.IsPrimary ? "both nodes are Primary"
        : null;

    private static bool IsWhole(HandshakeFacts side) => side is { DiskState: DiskState.UpToDate, FullSyncNeeded: false };

    /// <summary>
    /// Whoever is Primary, or was when its daemon ended, is spared: what its users have seen is not given up unasked.
    /// </summary>
    private static bool GivesWayByPolicy(HandshakeFacts side, HandshakeFacts other) =>
        side is { IsPrimary: false, WasPrimary: false, IsSpared: false } && side.SplitBrainPolicy switch
        {
            SplitBrainPolicy.Manual => false,
            SplitBrainPolicy.DiscardUnchanged => HasChangedNothing(side),
            SplitBrainPolicy.DiscardStandby => HasChangedNothing(side) || other.IsPrimary,
        };

    private static bool HasChangedNothing(HandshakeFacts side) =>
        side.SyncSetBlocks == 0 || Canary.Breaks(BrokenRule.PolicyDiscardsChanged);
}
