using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A demotion and what may come in its way.</summary>
public class DemotionTests
{
    [Fact]
    public void A_node_that_has_stored_standby_is_standby_also_when_the_link_is_lost_meanwhile()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.A.Write(1, 1);
        pair.Stop(pair.A, "superblock");
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.A, "superblock"));
        pair.LinkDown();
        pair.Go(pair.A, "superblock");
        Assert.Equal(pair.A.Replica.Role == Role.Primary, pair.A.Stored[0].WasPrimary);
        Assert.Single(pair.A.Answers.Skip(1));
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.Equal(5, pair.A.Write(1, 2).Result);
    }

    [Fact]
    public void A_demotion_during_a_join_is_not_overtaken_by_the_write_path()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.B, "superblock");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joining, pair.A.Replica.Phase);
        pair.Stop(pair.A, "flush");
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        ManualRequest held = pair.A.Write(2, 2);
        pair.Stop(pair.A, "write");
        pair.Go(pair.B, "superblock");
        pair.Go(pair.A, "flush");
        pair.Go(pair.A, "write");
        Assert.Equal(2, pair.A.Answers.Count);
        Assert.NotNull(held.Result);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void The_log_is_emptied_only_after_a_pass_that_began_when_all_was_quiet()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.LinkUp();
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 2).Result);

        // A resync whose copy is done while a client's write is under way: the pass of the copies begins
        // before its end.
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        pair.Stop(pair.A, "write");
        ManualRequest write = pair.A.Submit(VolumeOperation.Write, 9, 9);
        pair.Run();
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Stop(pair.B, "flush");
        pair.Go(pair.A, "copy");
        Assert.Equal(1, pair.Waiting(pair.B, "flush"));
        pair.Stop(pair.A, "log");
        pair.Go(pair.A, "write");
        Assert.Equal(0, write.Result);

        // That pass ends: it says nothing about the write.
        pair.Stop(pair.A, "flush");
        pair.Complete(pair.B, "flush");
        pair.Run();
        Assert.Equal(0, pair.Waiting(pair.A, "log"));
        pair.Go(pair.A, "flush");
        pair.Go(pair.B, "flush");
        Assert.Equal(1, pair.Waiting(pair.A, "log"));
        pair.Go(pair.A, "log");
        Assert.True(pair.A.Answers[^1].Succeeded);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
    }

    [Fact]
    public void Writes_go_on_after_a_demotion_was_broken_off_while_the_log_was_being_emptied()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.Stop(pair.A, "log");
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.A, "log"));
        pair.LinkDown();
        ManualRequest write = pair.A.Write(3, 3);
        pair.Go(pair.A, "log");
        Assert.Equal(0, write.Result);
    }

    [Fact]
    public void A_handed_over_primary_may_flush_while_it_still_serves_a_flush()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.Write(1, 1);
        pair.Stop(pair.B, "flush");
        ManualRequest voided = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        pair.Complete(pair.B, "flush");
        pair.Run();
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        ManualRequest flush = pair.B.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Null(flush.Result);
        pair.Go(pair.B, "flush");
        Assert.Equal(0, flush.Result);
        Assert.NotNull(voided.Result);
    }

    [Fact]
    public void A_reused_request_that_waits_for_the_log_does_not_take_another_ones_acknowledgement()
    {
        ManualPair pair = ManualPair.Serving();
        ManualRequest reused = pair.A.Write(0, 1);
        pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        pair.LinkDown();
        pair.LinkUp();
        Assert.Equal(WritePath.Mirrored, pair.A.Replica.Path);
        pair.Stop(pair.B, "apply");
        ManualRequest sent = pair.A.Write(1, 2);
        Assert.Null(sent.Result);
        pair.Stop(pair.A, "log");
        reused.Result = null;
        reused.Offset = 32 << 20;
        pair.A.Replica.Submit(reused);
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.A, "log"));
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Go(pair.A, "log");
        pair.Go(pair.B, "apply");
        Assert.Equal(0, sent.Result);
        Assert.Equal(5, reused.Result);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
    }

    [Fact]
    public void A_grant_that_comes_during_a_demotion_does_not_open_the_write_path_again()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.LinkDown();
        pair.Stop(pair.A, "flush");
        ManualRequest held = pair.A.Write(1, 1);
        pair.A.Replica.Demote(pair.A.Answer);
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[0], ClaimAnswer.Granted);
        pair.Run();
        pair.Stop(pair.A, "write");
        pair.Go(pair.A, "flush");
        pair.Go(pair.A, "write");
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.Equal(5, held.Result);
        Assert.True(pair.A.Answers[^1].Succeeded);
    }
}
