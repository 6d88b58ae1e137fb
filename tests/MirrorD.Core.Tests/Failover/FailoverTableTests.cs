using MirrorD.Core.Failover;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// Every combination of facts, and what must hold in each by section 5 of the safety contract: said without
/// the table.
/// </summary>
public class FailoverTableTests
{
    private static readonly DiskState[] Disks =
        [DiskState.Inconsistent, DiskState.Outdated, DiskState.Consistent, DiskState.UpToDate];

    private static readonly bool[] Both = [false, true];
    private static readonly Role?[] Roles = [null, Role.Standby, Role.Primary];

    /// <summary>Up, heard, all lost: an up path is heard, and where one is heard not all are lost.</summary>
    private static readonly (bool IsUp, bool IsHeard, bool AreLost)[] Paths =
        [(true, true, false), (false, true, false), (false, false, false), (false, false, true)];

    [Fact]
    public void For_every_input_one_row_of_the_role_decides_and_each_row_is_reached()
    {
        var reached = new HashSet<FailoverCase>();
        foreach (FailoverFacts facts in All(Role.Primary).Concat(All(Role.Standby)))
        {
            FailoverCase found = FailoverTable.Decide(facts).Case;
            if (reached.Add(found))
            {
                string role = facts.Role == Role.Primary ? "Primary" : "Standby";
                Assert.True(found == FailoverCase.Linked
                    || found.ToString().StartsWith(role, StringComparison.Ordinal));
            }
        }

        Assert.Equal(Enum.GetValues<FailoverCase>().Order(), reached.Order());
        Assert.All(FailoverTable.OfPrimary.Skip(1),
            row => Assert.StartsWith("Primary", row.Case.ToString(), StringComparison.Ordinal));
        Assert.All(FailoverTable.OfStandby.Skip(1),
            row => Assert.StartsWith("Standby", row.Case.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void A_primary_goes_on_only_as_the_contract_says()
    {
        foreach (FailoverFacts f in All(Role.Primary))
        {
            if (WrongOfPrimary(f, FailoverTable.Decide(f).Action) is { } wrong)
            {
                Assert.Fail($"{wrong}: {f}: {FailoverTable.Decide(f)}");
            }
        }
    }

    [Fact]
    public void A_standby_takes_over_only_as_the_contract_says()
    {
        foreach (FailoverFacts f in All(Role.Standby))
        {
            if (WrongOfStandby(f, FailoverTable.Decide(f).Action) is { } wrong)
            {
                Assert.Fail($"{wrong}: {f}: {FailoverTable.Decide(f)}");
            }
        }
    }

    private static string? WrongOfPrimary(FailoverFacts f, FailoverAction action)
    {
        bool mayBeAsked = f.IsAnyPathUp && !f.IsPeerMute;
        bool seeks = !f.IsLinked && !f.HasProof && f.DiskState == DiskState.UpToDate;
        if (!seeks)
        {
            return action == FailoverAction.Wait ? null
                : "a Primary that is linked, entitled or not UpToDate does nothing";
        }

        if (action == FailoverAction.TakeOver)
        {
            return "a Primary has nothing to take over";
        }

        if (f.HasSession && mayBeAsked && action != FailoverAction.AskPeer)
        {
            return "with a path up the peer is asked first";
        }

        if (action == FailoverAction.AskPeer && !(f.HasSession && f.IsAnyPathUp))
        {
            return "only a peer that may hear it, of a session, is asked";
        }

        if (f.HasArbiter && f.HasSession && f.AreAllPathsLost && action != FailoverAction.Claim)
        {
            return "with an arbiter it claims at once when both are lost";
        }

        if (action == FailoverAction.Claim && !(f.HasArbiter && f.HasSession && !mayBeAsked))
        {
            return "a claim needs an arbiter, a session, and nobody who could be asked";
        }

        bool isAlone = f.AreAllPathsLost || f.IsPeerMute;
        bool policy = f.OnPeerLoss == PeerLoss.Continue
            || (f.OnPeerLoss == PeerLoss.Auto && f.Gateway == GatewayEvidence.Answers);
        if (action == FailoverAction.GoOnByPolicy && (f.HasArbiter || !isAlone || !policy))
        {
            return "policy leads on without arbiter, all lost, by continue or with a gateway that answers";
        }

        if (f.PeerRole == Role.Primary && action == FailoverAction.GoOnByPolicy)
        {
            return "the peer has taken over";
        }

        if (!f.HasArbiter && f.AreAllPathsLost && f.PeerRole != Role.Primary)
        {
            bool isIsolated = f.OnPeerLoss == PeerLoss.Auto
                && f.Gateway is not (GatewayEvidence.Answers or GatewayEvidence.Unknown);
            bool frozen = f.OnPeerLoss == PeerLoss.Freeze;
            return isIsolated && action != FailoverAction.WithdrawAddresses
                ? "auto without gateway drops the addresses"
                : frozen && action != FailoverAction.Wait ? "freeze waits"
                : policy && action != FailoverAction.GoOnByPolicy ? "policy leads on"
                : null;
        }

        bool mayWithdraw = (f.PeerRole == Role.Primary || (!f.HasArbiter && f.OnPeerLoss == PeerLoss.Auto
            && f.Gateway is not (GatewayEvidence.Answers or GatewayEvidence.Unknown)))
            && (isAlone || f.HasArbiter);
        return action == FailoverAction.WithdrawAddresses && !mayWithdraw
            ? "addresses go only where auto finds no gateway" : null;
    }

    private static string? WrongOfStandby(FailoverFacts f, FailoverAction action)
    {
        if (action is FailoverAction.AskPeer or FailoverAction.Claim or FailoverAction.GoOnByPolicy
            or FailoverAction.WithdrawAddresses)
        {
            return "that is for a Primary";
        }

        if (action != FailoverAction.TakeOver)
        {
            return null;
        }

        // Its role was its own, and either it holds the proof or it asks a peer that is Standby.
        bool asksPeer = f.IsAnyPathUp && f.PeerRole == Role.Standby && !f.IsPeerMute && f.HasSession;
        bool resumes = f.WasPrimary && f.PeerRole != Role.Primary && (f.HasProof || asksPeer);
        return f.IsLinked ? "the link decides"
            : f.DiskState != DiskState.UpToDate ? "a copy that is not UpToDate is never promoted"
            : f.IsDisconnected && !(f.WasPrimary && f.HasProof) ? "an operator has disconnected it"
            : !f.HasWaited ? "the old Primary may still serve"
            : f.WasPrimary && resumes ? null
            : !f.Autoswitch ? "autoswitch is off"
            : f.IsPeerHeard && !f.IsPeerStuck ? "the peer lives and moves"
            : !f.AreAllPathsLost && !f.IsPeerStuck ? "a single lost path never causes a takeover"
            : !f.HasSession ? "nothing was ever joined"
            : f.Gateway is GatewayEvidence.Silent or GatewayEvidence.NoCarrier or GatewayEvidence.Unknown
                ? "this node may be the isolated one"
            : f.HasArbiter || f.HasProof ? null
            : f.Gateway != GatewayEvidence.Answers ? "without arbiter a gateway has to answer"
            : !f.IsEligible ? "without arbiter it has to be eligible"
            : f.PeerRole != Role.Primary ? "without arbiter the peer was Primary when last heard"
            : null;
    }

    private static IEnumerable<FailoverFacts> All(Role role) =>
        from isLinked in Both
        from disk in Disks
        from hasProof in Both
        from hasSession in Both
        from hasArbiter in Both
        from onPeerLoss in Enum.GetValues<PeerLoss>()
        from autoswitch in role == Role.Standby ? Both : [true]
        from path in Paths
        from isMute in Both
        from isStuck in path.IsHeard ? Both : [false]
        from peerRole in Roles
        from gateway in Enum.GetValues<GatewayEvidence>()
        from rest in Rest(role)
        select new FailoverFacts
        {
            Role = role,
            IsLinked = isLinked,
            DiskState = disk,
            HasProof = hasProof,
            HasSession = hasSession,
            HasArbiter = hasArbiter,
            OnPeerLoss = onPeerLoss,
            Autoswitch = autoswitch,
            IsDisconnected = rest.IsDisconnected,
            IsAnyPathUp = path.IsUp,
            IsPeerHeard = path.IsHeard,
            AreAllPathsLost = path.AreLost,
            IsPeerMute = isMute,
            IsPeerStuck = isStuck,
            PeerRole = peerRole,
            PeerRoleAtLoss = rest.AtLoss,
            Gateway = gateway,
            IsEligible = rest.IsEligible,
            HasWaited = rest.HasWaited,
            WasPrimary = rest.WasPrimary,
        };

    /// <summary>What only a Standby is asked about.</summary>
    private static (Role? AtLoss, bool IsEligible, bool HasWaited, bool WasPrimary, bool IsDisconnected)[] Rest(Role role) =>
        role == Role.Primary ? [(Role.Standby, false, true, true, false)]
        :
        [
            .. from atLoss in Roles
            from isEligible in Both
            from hasWaited in Both
            from wasPrimary in Both
            from isDisconnected in Both
            select (atLoss, isEligible, hasWaited, wasPrimary, isDisconnected),
        ];
}
