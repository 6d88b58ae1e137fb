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

    [Fact]
    public void A_link_that_is_lost_meanwhile_keeps_the_copy()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Connect(pair.B.Answer);
        pair.B.Replica.Disconnect((_, _, _) => { });
        pair.B.Replica.Connect(pair.B.Answer);
        pair.B.Answers.Clear();
        pair.B.Replica.Invalidate(pair.B.Answer);
        Assert.False(pair.B.Answers[^1].Succeeded);

        ManualPair lost = ManualPair.Serving();
        lost.Stop(lost.B, "superblock");
        lost.A.Replica.PauseSync(true, lost.A.Answer);
        lost.LinkDown();
        lost.B.Answers.Clear();
        lost.B.Replica.Invalidate(lost.B.Answer);
        Assert.Contains("not joined", lost.B.Answers[^1].Message, StringComparison.Ordinal);
        Assert.Equal(DiskState.UpToDate, lost.B.Stored[0].DiskState);
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
