using MirrorD.Formats;

namespace MirrorD.Core.Handshake;

/// <summary>
/// Decides what two sides that meet do with each other (safety contract, section 4). Pure; both sides
/// evaluate it on the same facts and reach mirrored results.
/// </summary>
public static partial class HandshakeTable
{
    /// <summary>The decision of this side.</summary>
    public static HandshakeDecision Decide(HandshakeFacts self, HandshakeFacts peer)
    {
        var pair = new HandshakePair(self, peer);
        HandshakeRow row = Rows.First(candidate => candidate.Holds(pair));
        HandshakeDecision decision = ByFitness(pair, row);
        return self.IsPrimary && peer.IsPrimary
            ? BothPrimary(pair, decision)
            : decision.Joins ? ByRole(pair, decision) : decision;
    }

    /// <summary>
    /// The rules below the table that look at the copies: who is fit to be the source, and how much to copy.
    /// </summary>
    private static HandshakeDecision ByFitness(HandshakePair pair, HandshakeRow row)
    {
        HandshakeAction action = row.Action(pair);
        if (action is HandshakeAction.SplitBrain or HandshakeAction.Refuse or HandshakeAction.Operator)
        {
            return new(row.Case, action, HandshakePart.None);
        }

        HandshakePart selfIs = row.SelfIs(pair);
        if (action == HandshakeAction.ServeDiskless)
        {
            return new(row.Case, action, selfIs);
        }

        HandshakeFacts source = pair.Side(selfIs, HandshakePart.Source);
        HandshakeFacts target = pair.Side(selfIs, HandshakePart.Target);
        bool targetIsBetter = source.DiskState != DiskState.UpToDate
            && target.DiskState == DiskState.UpToDate;
        bool givesWay = row.Case >= HandshakeCase.SameInconsistent && targetIsBetter;
        bool isNew = row.Case is HandshakeCase.BothNew or HandshakeCase.PeerNew or HandshakeCase.SelfNew;
        if (givesWay)
        {
            selfIs = selfIs == HandshakePart.Source ? HandshakePart.Target : HandshakePart.Source;
            (source, target) = (target, source);
        }

        // A new copy is UpToDate only because creation said so: no reason against overwriting it.
        if (IsInconsistent(source) || (targetIsBetter && !givesWay && !isNew))
        {
            return new(HandshakeCase.AheadNotUpToDate, HandshakeAction.Operator, HandshakePart.None);
        }

        if (source.FullSyncNeeded || target.FullSyncNeeded)
        {
            action = HandshakeAction.FullSync;
        }
        else if (action == HandshakeAction.NoSync && (pair.HasSyncSet || IsInconsistent(target)))
        {
            action = HandshakeAction.BitmapSync;
        }

        if (action == HandshakeAction.BitmapSync && !pair.Self.IsPrimary && !pair.Peer.IsPrimary
            && Canary.Breaks(BrokenRule.OlderCopyIsSource))
        {
            selfIs = selfIs == HandshakePart.Source ? HandshakePart.Target : HandshakePart.Source;
        }

        if (pair.Self.IsCrashedPrimary != pair.Peer.IsCrashedPrimary && Canary.Breaks(BrokenRule.CrashedPrimaryIsSource))
        {
            selfIs = SourceIf(pair.Self.IsCrashedPrimary);
        }

        return new(row.Case, action, selfIs);
    }

    /// <summary>
    /// A Primary is never a target: it demotes first, or, with a proof, the operator decides.
    /// </summary>
    private static HandshakeDecision ByRole(HandshakePair pair, HandshakeDecision decision)
    {
        HandshakeFacts target = pair.Side(decision.SelfIs, HandshakePart.Target);
        if (!target.IsPrimary)
        {
            return decision;
        }

        return target.HasProof
            ? new(HandshakeCase.PrimaryWouldBeTarget, HandshakeAction.Operator, HandshakePart.None)
            : DemoteFirst(pair, HandshakeCase.PrimaryWouldBeTarget, decision.SelfIs == HandshakePart.Target);
    }

    /// <summary>
    /// The one without proof demotes first. Neither with proof: the one that would be the target, else the
    /// higher node id.
    /// </summary>
    private static HandshakeDecision BothPrimary(HandshakePair pair, HandshakeDecision decision)
    {
        if (decision.Action is HandshakeAction.Refuse or HandshakeAction.SplitBrain)
        {
            return decision;
        }

        if (pair.Self.HasProof && pair.Peer.HasProof)
        {
            return new(HandshakeCase.BothPrimary, HandshakeAction.SplitBrain, HandshakePart.None);
        }

        bool selfDemotes = pair.Self.HasProof != pair.Peer.HasProof ? !pair.Self.HasProof
            : decision.Joins ? decision.SelfIs == HandshakePart.Target
            : !pair.SelfHasLowerNode;
        return DemoteFirst(pair, HandshakeCase.BothPrimary, selfDemotes);
    }

    /// <summary>
    /// Demotion fails the requests that are held, so it is asked for only where it leads on; else the
    /// decision that would follow stands at once.
    /// </summary>
    private static HandshakeDecision DemoteFirst(HandshakePair pair, HandshakeCase reason, bool selfDemotes)
    {
        HandshakeDecision next = selfDemotes
            ? Decide(pair.Self with { IsPrimary = false }, pair.Peer)
            : Decide(pair.Self, pair.Peer with { IsPrimary = false });
        return next.Joins || next.Action == HandshakeAction.DemoteFirst
            ? new(reason, HandshakeAction.DemoteFirst, PartOf(selfDemotes))
            : next;
    }

    private static HandshakePart PartOf(bool selfDemotes) =>
        selfDemotes ? HandshakePart.Target : HandshakePart.Source;
}
