using MirrorD.Core.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A copy that an operator throws away comes whole from the peer, and only where the peer has a good one.</summary>
public class InvalidateTests
{
    [Fact]
    public void A_copy_is_stored_as_thrown_away_before_the_link_ends_and_is_copied_whole()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.Write(1, 10);
        pair.B.Disk[5] = 999;
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        Assert.Empty(pair.B.Answers);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);

        pair.Go(pair.B, "superblock");
        Assert.True(pair.B.Answers[^1].Succeeded, pair.B.Answers[^1].Message);
        Assert.True(pair.B.Stored[0] is { DiskState: DiskState.Inconsistent, FullSyncNeeded: true });
        Assert.Equal(LinkPhase.Down, pair.B.Replica.Phase);
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
        Assert.Equal(0, pair.A.Write(2, 20).Result);

        pair.LinkUp();
        Assert.Contains(pair.B.Events, e => e.EndsWith("FullSync, this node is Target", StringComparison.Ordinal));
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.True(pair.B.Stored[0] is { DiskState: DiskState.UpToDate, FullSyncNeeded: false });
    }

    [Fact]
    public void A_resync_that_is_interrupted_still_brings_everything()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Disk[5] = 999;
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Target, pair.B.Replica.Phase);
        pair.B.Crash(new Random(3), powerCut: true);
        pair.LinkDown();
        pair.Go(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void Nothing_is_thrown_away_where_nothing_else_would_be_left()
    {
        ManualPair serving = ManualPair.Serving();
        Refused(serving, serving.A, "this node is Primary");

        ManualPair parted = ManualPair.Serving();
        parted.LinkDown();
        Refused(parted, parted.B, "not joined");

        ManualPair disconnected = ManualPair.Serving();
        disconnected.B.Replica.Disconnect(disconnected.B.Answer);
        disconnected.Run();
        Refused(disconnected, disconnected.B, "disconnected");

        ManualPair only = ManualPair.Serving();
        only.A.Replica.Detach(only.A.Answer);
        only.Run();
        Refused(only, only.B, "is not UpToDate");

        static void Refused(ManualPair pair, ManualNode node, string why)
        {
            node.Answers.Clear();
            DiskState before = node.Stored[0].DiskState;
            node.Replica.Invalidate(node.Answer);
            (bool succeeded, string message) = Assert.Single(node.Answers);
            Assert.False(succeeded);
            Assert.Contains(why, message, StringComparison.Ordinal);
            Assert.NotNull(node.Remedies[^1]);
            pair.Run();
            Assert.Equal(before, node.Stored[0].DiskState);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Two_standbys_that_are_told_at_once_never_lose_both_copies(bool asksAtOnce)
    {
        ManualPair pair = new();
        pair.LinkUp();
        foreach (ManualNode node in new[] { pair.A, pair.B })
        {
            pair.Stop(node, "superblock");
            node.Replica.Invalidate(node.Answer);
            if (!asksAtOnce)
            {
                pair.Run();
            }
        }

        pair.Go(pair.A, "superblock");
        pair.Go(pair.B, "superblock");
        Assert.Equal(asksAtOnce ? 0 : 1, pair.A.Answers.Concat(pair.B.Answers).Count(answer => answer.Succeeded));
        Assert.Contains(new[] { pair.A, pair.B }, node => node.Stored[0].DiskState == DiskState.UpToDate);
        if (!asksAtOnce)
        {
            pair.LinkUp();
        }

        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        pair.A.Replica.Invalidate(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
    }

    [Fact]
    public void The_peer_keeps_its_copy_and_its_role_meanwhile()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        pair.A.Answers.Clear();
        pair.A.Replica.Detach(pair.A.Answer);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.A.Replica.Disconnect(pair.A.Answer);
        Assert.Equal(3, pair.A.Answers.Count(answer => !answer.Succeeded));
        pair.B.Answers.Clear();
        pair.B.Replica.Disconnect(pair.B.Answer);
        pair.B.Replica.RequestRole(pair.B.Answer);
        pair.Go(pair.B, "superblock");
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
    }

    [Fact]
    public void A_stop_meanwhile_does_not_make_it_a_whole_copy_again()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        pair.B.Replica.Stop(pair.B.Answer);
        pair.Go(pair.B, "superblock");
        Assert.True(pair.B.Stored[0] is { DiskState: DiskState.Inconsistent, FullSyncNeeded: true });
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
    }

    [Fact]
    public void A_link_that_is_lost_before_the_peer_agrees_keeps_the_copy()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.A, "send");
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        Assert.Empty(pair.B.Answers);
        pair.LinkDown();
        Assert.False(pair.B.Answers[^1].Succeeded);
        Assert.Equal(DiskState.UpToDate, pair.B.Stored[0].DiskState);
    }

    [Fact]
    public void A_peer_that_does_not_answer_is_not_waited_for_and_is_free_again()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.A, "send");
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        pair.Tick(Limits.LeavePatienceNs);
        Assert.False(pair.B.Answers[^1].Succeeded);

        // What it answers then is no answer to a second question.
        pair.B.Replica.Invalidate(pair.B.Answer);
        Assert.Contains("has not answered", pair.B.Answers[^1].Message, StringComparison.Ordinal);
        pair.Go(pair.A, "send");
        Assert.Equal(DiskState.UpToDate, pair.B.Stored[0].DiskState);
        Assert.Equal(2, pair.B.Answers.Count(answer => !answer.Succeeded));
        pair.A.Answers.Clear();
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
    }

    [Fact]
    public void A_link_that_comes_back_while_it_is_stored_hears_nothing_of_the_former_one()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        pair.LinkDown();
        pair.Stop(pair.A, "send");
        pair.LinkUp();
        pair.Go(pair.B, "superblock");
        pair.Go(pair.A, "send");
        // Thrown away it was; the new link, which began with other facts, ends for a new join.
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.DoesNotContain(
            pair.A.Events, line => line.Contains("InvalidateAsk", StringComparison.Ordinal));
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void A_disk_that_fails_meanwhile_is_told()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.FailsStores = true;
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        Assert.False(pair.B.Answers[^1].Succeeded);
        Assert.NotNull(pair.B.Replica.Failure);
    }
}
