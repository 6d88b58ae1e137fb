using MirrorD.Core.Handshake;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Handshake;

/// <summary>Who gives way in a split brain when both sides have a policy.</summary>
public class SplitBrainPolicyTests
{
    private static readonly HandshakeFacts s_a = Facts.A with { Current = new(1), Bitmap = new(3) };
    private static readonly HandshakeFacts s_b = Facts.B with { Current = new(2), Bitmap = new(3) };

    private sealed record RoleState(bool IsPrimary, bool WasPrimary, bool HasProof);

    private static readonly RoleState[] Roles =
    [
        new(false, false, false), new(false, false, true), new(false, true, true), new(true, true, false),
        new(true, true, true),
    ];

    [Fact]
    public void No_input_makes_it_give_up_what_it_must_not_and_every_one_has_its_case()
    {
        HandshakeFacts[] theirs = [.. Sides(s_b, own: 2, other: 1)];
        var reached = new HashSet<HandshakeCase>();
        foreach (HandshakeFacts a in Sides(s_a, own: 1, other: 2))
        {
            foreach (HandshakeFacts b in theirs)
            {
                HandshakeDecision decision = HandshakeTable.Decide(a, b);
                if (HandshakeTable.Decide(b, a) != decision.Mirrored)
                {
                    Assert.Fail($"the sides differ: {decision}\n{a}\n{b}");
                }

                reached.Add(decision.Case);
                HandshakeDecision manual = HandshakeTable.Decide(
                    a with { SplitBrainPolicy = default }, b with { SplitBrainPolicy = default });
                if (decision.Case != HandshakeCase.SplitBrainByPolicy)
                {
                    // A policy changes nothing else.
                    Assert.Equal(manual, decision);
                    continue;
                }

                Assert.Equal(HandshakeCase.SplitBrainKnownBase, manual.Case);
                Assert.Equal(HandshakeAction.BitmapSync, decision.Action);
                bool isKept = decision.SelfIs == HandshakePart.Source;
                if (!IsAllowed(a.SplitBrainPolicy, b.SplitBrainPolicy, kept: isKept ? a : b, lost: isKept ? b : a))
                {
                    Assert.Fail($"that may not be given up: {decision}\n{a}\n{b}");
                }
            }
        }

        Assert.Subset(reached, new HashSet<HandshakeCase>
        {
            HandshakeCase.SplitBrainByPolicy, HandshakeCase.SplitBrainKnownBase, HandshakeCase.SplitBrain,
            HandshakeCase.SplitBrainResolved, HandshakeCase.PeerAhead, HandshakeCase.SelfAhead,
        });
    }

    [Theory]
    // What b changed, whether a is Primary, and who is expected to give way by each policy.
    [InlineData(0, true, 'b', 'b')]
    [InlineData(5, true, '-', 'b')]
    [InlineData(0, false, 'b', 'b')]
    [InlineData(5, false, '-', '-')]
    public void The_standby_gives_way_when_it_changed_nothing_or_by_the_wider_policy(
        long changed, bool isPrimary, char narrow, char wide)
    {
        HandshakeFacts a = s_a with { SyncSetBlocks = 7, IsPrimary = isPrimary, WasPrimary = isPrimary };
        HandshakeFacts b = s_b with { SyncSetBlocks = changed };
        Assert.Equal('-', Loser(a, b, SplitBrainPolicy.Manual));
        Assert.Equal(narrow, Loser(a, b, SplitBrainPolicy.DiscardUnchanged));
        Assert.Equal(wide, Loser(a, b, SplitBrainPolicy.DiscardStandby));
    }

    [Fact]
    public void Of_two_that_changed_nothing_the_one_that_was_promoted_later_is_kept()
    {
        const SplitBrainPolicy Policy = SplitBrainPolicy.DiscardUnchanged;
        Assert.Equal('a', Loser(s_a with { Promotions = 2 }, s_b with { Promotions = 3 }, Policy));
        Assert.Equal('b', Loser(s_a, s_b, Policy));
        Assert.Equal('b', Loser(s_a with { WasPrimary = true }, s_b with { Promotions = 3 }, Policy));
    }

    [Fact]
    public void Different_policies_an_unknown_base_and_an_old_copy_leave_it_to_the_operator()
    {
        HandshakeFacts a = s_a with { SplitBrainPolicy = SplitBrainPolicy.DiscardStandby };
        HandshakeFacts b = s_b with { SplitBrainPolicy = SplitBrainPolicy.DiscardStandby };
        Assert.Equal(HandshakeCase.SplitBrainByPolicy, Facts.Decide(a, b).Case);
        HandshakeFacts other = b with { SplitBrainPolicy = SplitBrainPolicy.DiscardUnchanged };
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, Facts.Decide(a, other).Case);
        Assert.Equal("'split-brain' is discard-standby here and discard-unchanged there",
            new HandshakePair(a, other).WhyNoPolicy);
        Assert.Equal(HandshakeCase.SplitBrain,
            Facts.Decide(a, b with { Bitmap = Generation.None, History = [a.Bitmap] }).Case);
        Assert.Equal(HandshakeAction.SplitBrain, Facts.Decide(a, b with { DiskState = DiskState.Outdated }).Action);
        Assert.Equal(HandshakeAction.SplitBrain, Facts.Decide(a, b with { FullSyncNeeded = true }).Action);
        Assert.Equal(HandshakeCase.SplitBrainResolved, Facts.Decide(a, b with { GivesWay = true }).Case);
        Assert.Equal(HandshakeAction.SplitBrain, Facts.Decide(a with { GivesWay = true }, b with { GivesWay = true }).Action);
    }

    /// <summary>A second reading of the rules, from the side of what is lost.</summary>
    private static bool IsAllowed(SplitBrainPolicy a, SplitBrainPolicy b, HandshakeFacts kept, HandshakeFacts lost) =>
        a == b && a != SplitBrainPolicy.Manual && !lost.IsPrimary && !lost.WasPrimary && !lost.GivesWay && !kept.GivesWay
        && kept.DiskState == DiskState.UpToDate && lost.DiskState == DiskState.UpToDate
        && (lost.SyncSetBlocks == 0 || (a == SplitBrainPolicy.DiscardStandby && kept.IsPrimary));

    private static char Loser(HandshakeFacts a, HandshakeFacts b, SplitBrainPolicy policy)
    {
        HandshakeDecision decision = Facts.Decide(a with { SplitBrainPolicy = policy }, b with { SplitBrainPolicy = policy });
        return decision.Case != HandshakeCase.SplitBrainByPolicy ? '-'
            : decision.SelfIs == HandshakePart.Target ? 'a' : 'b';
    }

    private static IEnumerable<HandshakeFacts> Sides(HandshakeFacts side, ulong own, ulong other) =>
        from state in (DiskState[])[DiskState.Inconsistent, DiskState.Outdated, DiskState.UpToDate]
        from role in Roles
        from bitmap in (ulong[])[0, 3, other]
        from set in (long[])[0, 3]
        from givesWay in (bool[])[false, true]
        from policy in Enum.GetValues<SplitBrainPolicy>()
        select side with
        {
            Current = new(own),
            Bitmap = new(bitmap),
            History = Facts.Generations(3),
            DiskState = state,
            IsPrimary = role.IsPrimary,
            WasPrimary = role.WasPrimary,
            HasProof = role.HasProof,
            SyncSetBlocks = set,
            GivesWay = givesWay && !role.IsPrimary,
            SplitBrainPolicy = policy,
        };
}
