using MirrorD.Formats;
using static MirrorD.Core.Failover.FailoverAction;
using static MirrorD.Core.Failover.FailoverCase;

namespace MirrorD.Core.Failover;

/// <summary>One row: the first whose condition holds decides.</summary>
/// <param name="Case">Its name.</param>
/// <param name="Condition">When it holds, for a reader.</param>
/// <param name="Holds">When it holds.</param>
/// <param name="Action">What is done.</param>
public sealed record FailoverRow(
    FailoverCase Case, string Condition, Func<FailoverFacts, bool> Holds, FailoverAction Action);

/// <summary>
/// Who may go on when the link is down: the table of section 5 of the safety contract, as data. Rows are
/// tried in order; for every input one holds. Invariants: a lost path alone never leads to a takeover;
/// nothing but a row with a proof, an arbiter or a policy leads a Primary on; a copy that is not UpToDate
/// gets no right.
/// </summary>
public static class FailoverTable
{
    /// <summary>Rows of a Primary.</summary>
    public static IReadOnlyList<FailoverRow> OfPrimary { get; } =
    [
        new(Linked, "the link is up", f => f.IsLinked, Wait),
        new(PrimaryHasProof, "a proof is stored", f => f.HasProof, Wait),
        new(PrimaryNotUpToDate, "own copy not UpToDate", f => f.DiskState != DiskState.UpToDate, Wait),
        new(PrimaryAsksPeer, "joined before, a path is up, and the peer not mute", f =>
            f.HasSession && f.IsAnyPathUp && !f.IsPeerMute, AskPeer),
        new(PrimaryWaitsForPaths,
            "a path may still be up, and the peer not mute; with arbiter: nor heard", f =>
            !f.AreAllPathsLost && !f.IsPeerMute && !(f.IsPeerHeard && f.HasArbiter), Wait),
        new(PrimaryAsksArbiter, "an arbiter, and joined before", f => f.HasArbiter && f.HasSession, Claim),
        new(PrimaryPeerServes, "the peer was heard as Primary since", f =>
            f.PeerRole == Role.Primary, WithdrawAddresses),
        new(PrimaryContinues, "no arbiter, on-peer-loss: continue", f =>
            !f.HasArbiter && f.OnPeerLoss == PeerLoss.Continue, GoOnByPolicy),
        new(PrimaryFreezes, "on-peer-loss: freeze, or an arbiter but never joined", f =>
            f.HasArbiter || f.OnPeerLoss == PeerLoss.Freeze, Wait),
        new(PrimaryAsksGateway, "the gateway has not been asked", f =>
            f.Gateway == GatewayEvidence.Unknown, AskGateway),
        new(PrimaryHasGateway, "the gateway answers", f =>
            f.Gateway == GatewayEvidence.Answers, GoOnByPolicy),
        new(PrimaryIsolated, "no gateway, a silent one, or no carrier", _ => true, WithdrawAddresses),
    ];

    /// <summary>Rows of a Standby.</summary>
    public static IReadOnlyList<FailoverRow> OfStandby { get; } =
    [
        new(Linked, "the link is up", f => f.IsLinked, Wait),
        new(StandbyNotUpToDate, "own copy not UpToDate", f => !MayServe(f.DiskState), Wait),
        new(StandbyDisconnected, "disconnected by an operator, and not a Primary's own role under a proof", f =>
            f.IsDisconnected && !(f.WasPrimary && f.HasProof), Wait),
        new(StandbyResumes,
            "it was Primary; it holds a proof, or the peer, a Standby, can be asked for one", f =>
            f.WasPrimary && f.HasWaited && f.PeerRole != Role.Primary
            && (f.HasProof ? f.IsPeerHeard || f.AreAllPathsLost
                : f.HasSession && f.IsAnyPathUp && !f.IsPeerMute && f.PeerRole == Role.Standby), TakeOver),
        new(StandbyAutoswitchOff, "autoswitch: off", f => !f.Autoswitch, Wait),
        new(StandbyPeerLives, "the peer is heard, and moves", f =>
            f.IsPeerHeard && !f.IsPeerStuck && !Canary.Breaks(BrokenRule.TakeoverWhilePeerHeard), Wait),
        new(StandbyWaitsForPaths, "a path may still be up", f =>
            !f.AreAllPathsLost && !f.IsPeerStuck && !Canary.Breaks(BrokenRule.TakeoverWhilePeerHeard), Wait),
        new(StandbyNeverJoined, "no session", f => !f.HasSession, Wait),
        new(StandbyNobodyServed, "nobody was Primary when the link was lost, nor since", f =>
            f.PeerRoleAtLoss == Role.Standby && f.PeerRole != Role.Primary && !f.WasPrimary, Wait),
        new(StandbyNotEligible, "no arbiter, no proof, and not eligible", f =>
            !f.HasArbiter && !f.HasProof && !(f.IsEligible && f.PeerRole == Role.Primary), Wait),
        new(StandbyAsksGateway, "the gateway has not been asked", f =>
            f.Gateway == GatewayEvidence.Unknown, AskGateway),
        new(StandbyHasNoCarrier, "no production carrier", f =>
            f.Gateway == GatewayEvidence.NoCarrier, AskGateway),
        new(StandbyHasNoGateway, "the gateway is silent, or there is none and no arbiter and no proof", f =>
            f.Gateway == GatewayEvidence.Silent
            || (f.Gateway == GatewayEvidence.NotConfigured && !f.HasArbiter && !f.HasProof), AskGateway),
        new(StandbyWaits, "takeover-delay, or the old Primary may not have noticed, or may be back", f =>
            !f.HasWaited, Wait),
        new(StandbyHasProof, "a proof is stored", f => f.HasProof, TakeOver),
        new(StandbyTakesOver, "everything else", _ => true, TakeOver),
    ];

    /// <summary>A copy in this state may become a Primary's without force.</summary>
    internal static bool MayServe(DiskState state) => state == DiskState.UpToDate
        || (state == DiskState.Outdated && Canary.Breaks(BrokenRule.TakeoverWhenOutdated));

    /// <summary>Decides.</summary>
    public static FailoverDecision Decide(in FailoverFacts facts)
    {
        foreach (FailoverRow row in facts.Role == Role.Primary ? OfPrimary : OfStandby)
        {
            if (row.Holds(facts))
            {
                return new FailoverDecision(row.Case, row.Action);
            }
        }

        throw new InvalidOperationException("the last row of each role always holds");
    }
}
