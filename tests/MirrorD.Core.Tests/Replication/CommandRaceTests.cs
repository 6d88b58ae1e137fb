using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Replication;

/// <summary>Commands, links and stores that meet one another in the middle.</summary>
public class CommandRaceTests
{
    [Fact]
    public void A_served_pair_mirrors_and_flushes()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(3, 7).Result);
        Assert.Equal(7, pair.B.Disk[3]);
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Equal(0, flush.Result);
    }

    [Fact]
    public void Both_nodes_promoted_at_once_end_with_one_primary_and_two_answers()
    {
        var pair = new ManualPair();
        pair.LinkUp();
        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Run();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Single(pair.A.Answers);
        Assert.Single(pair.B.Answers);
        Assert.Single(new[] { pair.A, pair.B }, n => n.Replica.Role == Role.Primary);
    }

    [Fact]
    public void A_store_waits_for_the_one_before_it_also_when_that_one_asks_for_another()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.A.Replica.Stop(pair.A.Answer);
        pair.Run();
        Assert.False(pair.B.IsConnected);
        Assert.Equal(1, pair.Waiting(pair.B, "superblock"));
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Complete(pair.B, "superblock");
        Assert.Equal(1, pair.Waiting(pair.B, "superblock"));
        pair.Go(pair.B, "superblock");
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Single(pair.B.Answers);
        Assert.Equal(pair.B.Replica.State, pair.B.Stored[0]);
        Assert.Single(pair.B.Stored[0].History, g => !g.IsNone);
    }

    [Fact]
    public void A_command_whose_store_fails_is_answered()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.FailsStores = true;
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Equal(2, pair.A.Answers.Count);
        pair.B.FailsStores = true;
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Run();
        Assert.False(Assert.Single(pair.B.Answers).Succeeded);
    }

    [Fact]
    public void A_stop_whose_store_fails_is_answered()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.FailsStores = true;
        pair.B.Replica.Stop(pair.B.Answer);
        pair.Run();
        Assert.Single(pair.B.Answers);
    }

    [Fact]
    public void A_node_that_stops_while_it_is_promoted_is_not_primary_and_outdated()
    {
        var pair = new ManualPair();
        pair.LinkUp();
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.B, "superblock"));
        pair.B.Replica.Stop(pair.B.Answer);
        pair.Go(pair.B, "superblock");
        Assert.Equal(2, pair.B.Answers.Count);
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
        Assert.False(pair.B.Stored[0].WasPrimary);
        Assert.Equal(DiskState.Outdated, pair.B.Stored[0].DiskState);
    }

    [Fact]
    public void A_standby_that_stops_takes_no_role_any_more()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Stop(pair.B.Answer);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        pair.Go(pair.B, "superblock");
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.False(pair.B.Stored[0].WasPrimary);
        Assert.Equal(2, pair.A.Answers.Count);
        Assert.Single(pair.B.Answers);
    }

    [Fact]
    public void A_request_for_the_role_that_meets_a_demotion_ends_with_the_role()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "send");
        pair.B.Replica.RequestRole(pair.B.Answer);
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Stop(pair.A, "send");
        pair.Go(pair.B, "send");
        pair.Go(pair.A, "send");
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.True(Assert.Single(pair.B.Answers).Succeeded);
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
    }

    [Fact]
    public void A_peer_that_never_begins_the_handshake_does_not_hold_up_a_primary_that_may_go_on()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.B, "send");
        pair.LinkUp();
        ManualRequest write = pair.A.Write(2, 2);
        Assert.Null(write.Result);
        pair.Tick(5_000_000_000);
        Assert.Equal("JoinInterrupted", pair.A.Replica.DescribeHoldUp()?.Name);
        for (int seconds = 0; seconds < 60 && write.Result is null; seconds++)
        {
            pair.Tick();
        }

        Assert.Equal(0, write.Result);
    }

    [Fact]
    public void A_promotion_that_meets_the_end_of_a_join_is_carried_out_once()
    {
        var pair = new ManualPair();
        pair.Stop(pair.B, "superblock");
        pair.LinkUp();
        pair.Complete(pair.B, "superblock");
        pair.Run();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        pair.Stop(pair.A, "superblock");
        pair.Go(pair.B, "superblock");
        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.Run();
        pair.Complete(pair.A, "superblock");
        pair.Run();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        pair.Complete(pair.A, "superblock");
        pair.Run();
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        Assert.Equal(0, pair.Waiting(pair.A, "superblock"));
        pair.A.Replica.Demote(pair.A.Answer);
        ManualRequest held = pair.A.Submit(VolumeOperation.Write, 1, 1);
        pair.Go(pair.A, "superblock");
        Assert.Equal(5, held.Result);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.Equal(2, pair.A.Answers.Count);
    }
}
