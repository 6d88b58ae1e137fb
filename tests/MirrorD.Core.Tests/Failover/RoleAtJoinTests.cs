using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Failover;

/// <summary>Whose role it is when two nodes join, and what a process that stood still may do.</summary>
public class RoleAtJoinTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_crashed_primary_that_joins_its_standby_is_primary_again(bool otherIsPreferred)
    {
        FailoverStory story = FailoverStory.Serving(
            onPeerLoss: PeerLoss.Freeze, autoswitch: false,
            adjust: s => s with { IsPreferred = otherIsPreferred ? s.NodeName == "n2" : null });
        story.Kill(story.A);
        story.Start(story.A);
        story.HealAll();
        story.Tick(2);
        Assert.Equal("this node was Primary, and nobody is now", Assert.Single(story.A.Takeovers));
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
    }

    [Fact]
    public void A_crashed_primary_serves_again_while_its_standby_is_still_brought_up_to_date()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.CutAll();
        story.Tick(20);
        Assert.Equal(0, story.A.Write(1, 1).Result);
        story.Kill(story.A);
        story.Start(story.A);
        story.Pair.Stop(story.A, "copy");
        story.HealAll();
        story.Tick(2);
        Assert.Equal(LinkPhase.Source, story.A.Replica.Phase);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(Role.Primary, story.B.Replica.PeerRole);
        ManualRequest write = story.A.Write(9000, 2);
        Assert.Equal(0, write.Result);

        story.Pair.Go(story.A, "copy");
        story.Tick(2);
        Assert.All(story.Nodes, node => Assert.Equal(LinkPhase.Joined, node.Replica.Phase));
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal((1, 2), (story.B.Disk[1], story.B.Disk[9000]));
        Assert.Single(story.A.Takeovers);
    }

    [Fact]
    public void A_crashed_primary_that_crashes_again_before_it_has_its_role_is_primary_in_the_end()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        JoinWithoutRole(story);
        Assert.True(story.A.Stored[0].WasPrimary, "its block device would be taken away at the next start");

        story.Kill(story.A);
        story.Start(story.A);
        story.A.TakeoverBegun = story.Begin(story.A);
        story.HealAll();
        story.Tick(2);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
    }

    [Fact]
    public void A_role_that_the_peer_has_taken_meanwhile_is_no_more_the_crashed_primarys()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        JoinWithoutRole(story);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.False(story.A.Stored[0].WasPrimary);

        story.Kill(story.B);
        story.Start(story.B);
        story.HealAll();
        story.Tick(2);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Fact]
    public void A_peer_that_is_promoted_serves_only_when_the_crashed_primary_has_durably_given_its_role_up()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        JoinWithoutRole(story);
        Assert.True(story.A.Stored[0].WasPrimary);
        story.Pair.Stop(story.A, "superblock");
        story.B.Replica.Promote(false, story.B.Answer);
        story.Pair.Run();
        ManualRequest write = story.B.Write(1, 7);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        Assert.NotEqual(0, write.Result);

        // Killed here A may go on with its block device: nobody has served anything since.
        story.Pair.Go(story.A, "superblock");
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(0, story.B.Write(1, 7).Result);
        Assert.False(story.A.Stored[0].WasPrimary);
    }

    [Fact]
    public void A_peer_that_is_promoted_before_the_join_has_ended_is_not_forgotten_either()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.CutAll();
        story.HealAll();
        story.Tick(20);
        Assert.Equal(0, story.A.Write(1, 1).Result);
        story.A.TakeoverBegun = () => story.Pair.Add(story.A, "a hook failed", story.A.Replica.TakeoverEnded);
        story.Kill(story.A);
        story.Start(story.A);
        story.Pair.Stop(story.A, "superblock");
        story.HealAll();
        story.Pair.Complete(story.A, "superblock");
        story.Pair.Run();
        for (int ticks = 0; story.Pair.Waiting(story.A, "superblock") == 0 && ticks < 50; ticks++)
        {
            story.Tick();
        }

        // J5, with the role still its own, is on its way to the disk.
        Assert.Equal(LinkPhase.Target, story.A.Replica.Phase);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Pair.Run();
        story.Pair.Complete(story.A, "superblock");
        story.Pair.Run();
        Assert.True(story.A.Stored[0].WasPrimary);
        Assert.Equal(Role.Standby, story.B.Replica.Role);

        story.Pair.Go(story.A, "superblock");
        Assert.False(story.A.Stored[0].WasPrimary);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    /// <summary>The Primary crashes and joins again, and its hooks don't let it take its role.</summary>
    private static void JoinWithoutRole(FailoverStory story)
    {
        story.A.TakeoverBegun = () => story.Pair.Add(story.A, "a hook failed", story.A.Replica.TakeoverEnded);
        story.Kill(story.A);
        story.Start(story.A);
        story.HealAll();
        story.Tick(2);
        Assert.All(story.Nodes, node => Assert.Equal(LinkPhase.Joined, node.Replica.Phase));
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Theory]
    [InlineData(true, "this node holds a proof")]
    [InlineData(false, "n2, a Standby, can be asked")]
    public void A_crashed_primary_without_link_says_why_it_resumes(bool hasProof, string reason)
    {
        FailoverStory story = FailoverStory.Serving();
        if (hasProof)
        {
            story.Cut(PathKind.Dedicated);
            story.Tick(3);
        }

        Assert.Equal(hasProof, story.A.Replica.HasProof);
        story.Kill(story.A);
        story.Start(story.A);
        story.Seconds(3);
        Assert.Equal(reason, Assert.Single(story.A.Takeovers));
        Assert.Equal(Role.Primary, story.A.Replica.Role);
    }

    [Theory]
    [InlineData("n1")]
    [InlineData("n2")]
    public void The_preferred_node_is_primary_when_both_start(string preferred)
    {
        var story = new FailoverStory(adjust: s => s with { IsPreferred = s.NodeName == preferred });
        story.Show();
        story.Pair.LinkUp();
        story.Tick(2);
        Assert.Equal(preferred == "n1", story.A.Replica.Role == Role.Primary);
        Assert.Equal(preferred == "n2", story.B.Replica.Role == Role.Primary);
    }

    [Fact]
    public void A_role_that_could_not_be_taken_at_the_join_is_tried_for_again()
    {
        var story = new FailoverStory(adjust: s => s with { IsPreferred = s.NodeName == "n1" });
        Action begin = story.A.TakeoverBegun;
        story.A.TakeoverBegun = () => story.Pair.Add(story.A, "a hook failed", story.A.Replica.TakeoverEnded);
        story.Show();
        story.Pair.LinkUp();
        story.Seconds(4);
        Assert.Single(story.A.Takeovers);
        story.A.TakeoverBegun = begin;
        story.Seconds(4);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(2, story.A.Takeovers.Count);
    }

    [Fact]
    public void A_role_that_an_operator_ended_is_not_tried_for_again()
    {
        var story = new FailoverStory(adjust: s => s with { IsPreferred = s.NodeName == "n1" });
        story.A.TakeoverBegun = () => story.Pair.Add(story.A, "a hook failed", story.A.Replica.TakeoverEnded);
        story.Show();
        story.Pair.LinkUp();
        story.Seconds(1);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.B.Replica.Demote(story.B.Answer);
        story.Pair.Run();
        story.Seconds(20);
        Assert.Single(story.A.Takeovers);
        Assert.All(story.Nodes, n => Assert.Equal(Role.Standby, n.Replica.Role));
    }

    /// <summary>The word that ended a role does not count any more once there was a Primary again.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_role_that_was_ended_and_then_given_to_the_peer_is_the_peers_after_a_crash(bool isMetAsPrimary)
    {
        FailoverStory story = FailoverStory.Serving();
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        story.CutAll();
        story.Seconds(3);
        story.B.Replica.Promote(true, story.B.Answer);
        story.Seconds(3);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(0, story.B.Write(1, 1).Result);
        if (isMetAsPrimary)
        {
            story.HealAll();
            story.Seconds(1);
            Assert.Equal(LinkPhase.Joined, story.A.Replica.Phase);
            story.CutAll();
            story.Seconds(1);
        }

        story.Kill(story.B);
        story.Start(story.B);
        story.HealAll();
        story.Seconds(10);
        Assert.Equal(LinkPhase.Joined, story.A.Replica.Phase);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    /// <summary>Nobody was promoted after the operator's word: an old Primary that did not know yet is no reason to forget it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_role_that_an_operator_ended_is_not_given_to_an_old_primary_that_froze(bool isPreferred)
    {
        FailoverStory story = FailoverStory.Serving(
            hasArbiter: true, adjust: s => s with { IsPreferred = isPreferred && s.NodeName == "n1" });
        story.WithoutArbiter.Add(story.A);
        story.CutAll();
        story.Seconds(6);
        Assert.Equal("FrozenNoArbiter", story.A.Replica.DescribeHoldUp()?.Name);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.B.Replica.Demote(story.B.Answer);
        story.Pair.Run();
        story.HealAll();
        story.Seconds(1);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        story.Pair.LinkUp();
        story.Seconds(20);
        Assert.All(story.Nodes, n => Assert.Equal(LinkPhase.Joined, n.Replica.Phase));
        Assert.All(story.Nodes, n => Assert.Equal(Role.Standby, n.Replica.Role));
    }

    /// <summary>Both served alone and both roles were ended: whichever copy is given up, nobody serves unasked.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Roles_that_an_operator_ended_on_both_sides_of_a_split_stay_ended(bool givesUpA)
    {
        FailoverStory story = FailoverStory.Serving(adjust: s => s with { IsPreferred = s.NodeName == "n1" });
        story.CutAll();
        story.A.Replica.Promote(true, story.A.Answer);
        story.B.Replica.Promote(true, story.B.Answer);
        story.Seconds(3);
        Assert.All(story.Nodes, n => Assert.Equal(Role.Primary, n.Replica.Role));
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Equal(0, story.B.Write(2, 2).Result);
        story.HealAll();
        foreach (ManualNode node in new[] { story.B, story.A })
        {
            node.Replica.Demote(node.Answer);
            story.Pair.Run();
            story.Pair.LinkUp();
            story.Seconds(1);
        }

        Assert.All(story.Nodes, n => Assert.Equal(Role.Standby, n.Replica.Role));
        ManualNode victim = givesUpA ? story.A : story.B;
        victim.Replica.DiscardCopy(victim.Answer);
        story.Pair.Run();
        story.Pair.LinkUp();
        story.Seconds(20);
        Assert.All(story.Nodes, n => Assert.Equal(LinkPhase.Joined, n.Replica.Phase));
        Assert.All(story.Nodes, n => Assert.Equal(Role.Standby, n.Replica.Role));
    }

    [Fact]
    public void Equal_new_nodes_wait_for_the_operator()
    {
        var story = new FailoverStory();
        story.Show();
        story.Pair.LinkUp();
        story.Seconds(10);
        Assert.All(story.Nodes, n => Assert.Equal(Role.Standby, n.Replica.Role));
    }

    [Fact]
    public void The_one_that_was_promoted_later_is_primary_when_both_crashed()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Kill(story.A);
        story.Seconds(5);
        Assert.Equal(0, story.B.Write(1, 1).Result);
        story.Kill(story.B);
        story.Start(story.A);
        story.Start(story.B);
        story.HealAll();
        story.Tick(2);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Fact]
    public void An_old_primary_that_returns_is_a_standby()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Kill(story.A);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.Start(story.A);
        story.HealAll();
        story.Seconds(10);
        Assert.Equal(LinkPhase.Joined, story.A.Replica.Phase);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Fact]
    public void After_an_operators_demotion_nobody_takes_the_role()
    {
        FailoverStory story = FailoverStory.Serving(adjust: s => s with { IsPreferred = s.NodeName == "n2" });
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        story.B.Takeovers.Clear();
        story.CutAll();
        story.HealAll();
        story.Seconds(30);
        Assert.All(story.Nodes, n => Assert.Equal(Role.Standby, n.Replica.Role));
        Assert.Single(story.B.Takeovers);
    }

    [Fact]
    public void A_node_that_handed_over_lets_the_crashed_primary_have_its_role_back()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        story.A.Replica.HandOver(story.A.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.Kill(story.B);
        story.Start(story.B);
        story.HealAll();
        story.Tick(2);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Theory]
    [InlineData(PeerLoss.Auto)]
    [InlineData(PeerLoss.Continue)]
    public void A_primary_that_stood_still_while_it_asked_does_not_take_its_peer_for_mute(PeerLoss onPeerLoss)
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: onPeerLoss);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.Tick(2);
        story.Paused.Add(story.A);
        story.Seconds(10);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(0, story.B.Write(1, 2).Result);

        // The watch has not told it anything new yet.
        story.A.Replica.Tick();
        story.Pair.Run();
        Assert.Equal(WritePath.Closed, story.A.Replica.Path);
        story.Paused.Remove(story.A);
        story.HoldsControl = false;
        story.Seconds(10);
        Assert.NotEqual(WritePath.Alone, story.A.Replica.Path);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void A_standby_that_stood_still_in_its_takeover_claims_nothing_by_what_it_knew()
    {
        FailoverStory story = FailoverStory.Serving();
        story.B.TakeoverBegun = () => { };
        story.Kill(story.A);
        story.Seconds(5);
        Assert.Single(story.B.Takeovers);
        Assert.Null(story.B.Replica.WhyNotTakeOver());
        story.B.GatewayAsked = _ => { };
        story.Seconds(1.5);
        Assert.Null(story.B.Replica.WhyNotTakeOver());

        story.Pair.Advance(30_000_000_000);
        Assert.NotNull(story.B.Replica.WhyNotTakeOver());
    }

    [Fact]
    public void A_demotion_is_over_once_an_operator_has_promoted_somebody()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        story.B.Replica.Promote(false, story.B.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.Kill(story.B);
        story.Start(story.B);
        story.HealAll();
        story.Tick(2);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void A_restarted_primary_without_link_asks_its_standby_over_the_other_network()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.Cut(PathKind.Dedicated);
        story.HoldsControl = true;
        story.Kill(story.A);
        story.Start(story.A);
        story.HoldsControl = false;
        story.Seconds(10);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(DiskState.Outdated, story.B.Stored[0].DiskState);
    }

    [Fact]
    public void A_restarted_primary_whose_standby_does_not_answer_stays_standby_and_asks_again()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.Cut(PathKind.Dedicated);
        story.HoldsControl = true;
        story.Kill(story.A);
        story.Start(story.A);
        story.Seconds(30);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.False(story.A.Replica.HasProof);
        Assert.InRange(story.A.Takeovers.Count, 2, 6);
        story.HoldsControl = false;
        story.Seconds(10);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
    }

    [Fact]
    public void A_primary_that_stood_still_serves_no_read_before_it_has_joined_again()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        Assert.Equal(0, story.A.Write(1, 1).Result);
        story.Pair.Stop(story.A, "close");
        story.Pair.Advance(FailoverStory.LinkTimeoutNs + 1);
        ManualRequest read = story.A.Submit(VolumeOperation.Read, 1);
        ManualRequest second = story.A.Submit(VolumeOperation.Read, 1);
        story.Pair.Run();
        Assert.Null(read.Result);
        Assert.Null(second.Result);
        story.A.Replica.Tick();
        Assert.Null(story.A.Submit(VolumeOperation.Read, 1).Result);
        story.Pair.Go(story.A, "close");
        story.Pair.LinkUp();
        Assert.Equal(0, read.Result);
        Assert.Equal(0, second.Result);
    }

    [Fact]
    public void A_primary_that_ticks_serves_reads()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Seconds(5);
        story.Pair.Advance(FailoverStory.LinkTimeoutNs - 1);
        ManualRequest read = story.A.Submit(VolumeOperation.Read, 1);
        story.Pair.Run();
        Assert.Equal(0, read.Result);
    }
}
