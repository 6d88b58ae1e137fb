using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Handshake;

/// <summary>Every combination of a small domain of stored states, and what must hold in each.</summary>
public class HandshakeEnumerationTests
{
    private static readonly DiskState[] States =
        [DiskState.Inconsistent, DiskState.Outdated, DiskState.UpToDate];

    private sealed record RoleState(bool IsPrimary, bool WasPrimary, bool HasProof);

    private static readonly RoleState[] Roles =
    [
        new(false, false, false), new(false, true, false), new(false, false, true), new(true, true, false),
        new(true, true, true),
    ];

    [Fact]
    public void In_the_same_generation_every_input_is_decided_safely()
    {
        HandshakeFacts[] mine = [.. SameGeneration(Facts.A)];
        HandshakeFacts[] theirs = [.. SameGeneration(Facts.B)];
        var reached = new HashSet<HandshakeCase>();
        foreach (HandshakeFacts a in mine)
        {
            foreach (HandshakeFacts b in theirs)
            {
                reached.Add(Check(a, b).Case);
                if (a.IsCrashedPrimary != b.IsCrashedPrimary)
                {
                    reached.Add(Check(a with { PeerBoot = default }, b with { PeerBoot = default }).Case);
                    reached.Add(Check(a, b with { WasAhead = true }).Case);
                }
            }
        }

        Assert.Equal(
            Enum.GetValues<HandshakeCase>().Where(c =>
                c >= HandshakeCase.SameInconsistent && c != HandshakeCase.AheadNotUpToDate),
            reached.Order());
    }

    [Fact]
    public void In_different_generations_every_input_is_decided_safely()
    {
        var reached = new HashSet<HandshakeCase>();
        HandshakeFacts[] mine = [.. Diverged(Facts.A, 1, 2)];
        HandshakeFacts[] theirs = [.. Diverged(Facts.B, 2, 1)];
        foreach (HandshakeFacts a in mine)
        {
            foreach (HandshakeFacts b in theirs)
            {
                reached.Add(Check(a, b).Case);
            }
        }

        Assert.Equal(
            Enum.GetValues<HandshakeCase>().Where(c =>
                c is (>= HandshakeCase.PeerAhead and < HandshakeCase.SameInconsistent)
                or HandshakeCase.AheadNotUpToDate or HandshakeCase.PrimaryWouldBeTarget
                or HandshakeCase.BothPrimary),
            reached.Order());
    }

    [Fact]
    public void With_new_and_rolled_back_copies_every_input_is_decided_safely()
    {
        var reached = new HashSet<HandshakeCase>();
        HandshakeFacts[] mine = [.. NewOrRolledBack(Facts.A)];
        HandshakeFacts[] theirs = [.. NewOrRolledBack(Facts.B)];
        foreach (ulong generation in (ulong[])[1, 2])
        {
            foreach (HandshakeFacts a in mine)
            {
                foreach (HandshakeFacts b in theirs)
                {
                    reached.Add(Check(a, b with { Current = new(generation) }).Case);
                }
            }
        }

        Assert.Superset(
            new HashSet<HandshakeCase>
            {
                HandshakeCase.BothNew, HandshakeCase.PeerNew, HandshakeCase.SelfNew, HandshakeCase.RolledBack,
            },
            reached);
    }

    /// <summary>What must hold for any input; gives the decision of the first side.</summary>
    private static HandshakeDecision Check(HandshakeFacts a, HandshakeFacts b)
    {
        HandshakeDecision decision = HandshakeTable.Decide(a, b);
        if (HandshakeTable.Decide(b, a) != decision.Mirrored)
        {
            Fail("the two sides differ", a, b, decision);
        }

        bool hasPart = decision.SelfIs != HandshakePart.None;
        if (hasPart != (decision.Joins || decision.Action == HandshakeAction.DemoteFirst))
        {
            Fail("a part belongs to a joining or a demotion", a, b, decision);
        }

        HandshakeFacts source = decision.SelfIs == HandshakePart.Source ? a : b;
        HandshakeFacts target = decision.SelfIs == HandshakePart.Source ? b : a;
        if (decision.Action == HandshakeAction.NoSync
            && (a.SyncSetBlocks > 0 || b.SyncSetBlocks > 0 || target.DiskState == DiskState.Inconsistent
                || a.FullSyncNeeded || b.FullSyncNeeded))
        {
            Fail("something has to be synced", a, b, decision);
        }

        if (decision.Joins && (target.IsPrimary || source.DiskState == DiskState.Inconsistent))
        {
            Fail("a Primary is never a target, an Inconsistent copy never a source", a, b, decision);
        }

        if (decision.Joins && !a.JustCreated && !b.JustCreated
            && source.DiskState != DiskState.UpToDate && target.DiskState == DiskState.UpToDate)
        {
            Fail("an UpToDate copy is not overwritten by a lesser one", a, b, decision);
        }

        if (decision.Action == HandshakeAction.DemoteFirst)
        {
            if (!target.IsPrimary || target.HasProof)
            {
                Fail("only a Primary without proof is asked to demote", a, b, decision);
            }

            HandshakeDecision next = decision.SelfIs == HandshakePart.Target
                ? HandshakeTable.Decide(a with { IsPrimary = false }, b)
                : HandshakeTable.Decide(a, b with { IsPrimary = false });
            if (!next.Joins && next.Action != HandshakeAction.DemoteFirst)
            {
                Fail("a demotion leads on", a, b, decision);
            }
        }

        return decision;
    }

    private static void Fail(string rule, HandshakeFacts a, HandshakeFacts b, HandshakeDecision decision) =>
        Assert.Fail($"{rule}: {decision}\n{a}\n{b}");

    private static IEnumerable<HandshakeFacts> SameGeneration(HandshakeFacts side) =>
        from state in States
        from role in Roles
        from bitmap in (ulong[])[0, 7]
        from set in (long[])[0, 3]
        from promotions in (ulong[])[1, 2]
        from full in (bool[])[false, true]
        select side with
        {
            DiskState = state,
            IsPrimary = role.IsPrimary,
            WasPrimary = role.WasPrimary,
            HasProof = role.HasProof,
            Bitmap = new(bitmap),
            SyncSetBlocks = set,
            Promotions = promotions,
            FullSyncNeeded = full,
        };

    private static IEnumerable<HandshakeFacts> Diverged(HandshakeFacts side, ulong own, ulong other) =>
        from state in States
        from role in Roles.Skip(2)
        from bitmap in (ulong[])[0, other, 3]
        from history in (ulong[][])[[], [other], [3], [other, 3]]
        from set in (long[])[0, 3]
        from end in (string[])["none", "word", "policy"]
        select side with
        {
            GivesWay = end == "word",
            SplitBrainPolicy = end == "policy" ? SplitBrainPolicy.DiscardStandby : SplitBrainPolicy.Manual,
            Current = new(own),
            Bitmap = new(bitmap),
            History = Facts.Generations(history),
            DiskState = state,
            IsPrimary = role.IsPrimary,
            WasPrimary = role.WasPrimary,
            HasProof = role.HasProof,
            SyncSetBlocks = set,
        };

    private static IEnumerable<HandshakeFacts> NewOrRolledBack(HandshakeFacts side) =>
        from state in States
        from role in Roles.Skip(2)
        from created in (CreationSource?[])
            [null, CreationSource.Unnamed, CreationSource.Self, CreationSource.Peer, CreationSource.Empty]
        from set in (long[])[0, 3]
        from sequence in (ulong[])[9, 10]
        select side with
        {
            DiskState = state,
            IsPrimary = role.IsPrimary,
            WasPrimary = role.WasPrimary,
            HasProof = role.HasProof,
            JustCreated = created is not null,
            CreationSource = created ?? CreationSource.Unnamed,
            SyncSetBlocks = set,
            Volumes = [new(4096, sequence, 10)],
        };
}
