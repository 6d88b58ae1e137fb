using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Resync;

/// <summary>A paused resync copies nothing, holds nobody up, and says so.</summary>
public class PauseTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whichever_side_pauses_nothing_is_copied_until_it_is_resumed_and_writes_go_to_both(bool atSource)
    {
        ManualPair pair = Resyncing();
        ManualNode pausing = atSource ? pair.A : pair.B;
        pausing.Replica.PauseSync(true, pausing.Answer);
        pair.LinkUp();
        for (int i = 0; i < 5; i++)
        {
            pair.Tick();
        }

        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        Assert.Equal(LinkPhase.Target, pair.B.Replica.Phase);
        Assert.Equal(DiskState.Inconsistent, pair.B.Replica.State.DiskState);
        Assert.NotEqual(42, pair.B.Disk[7]);
        Assert.Equal("SyncPaused", pair.A.Replica.DescribeHoldUp()!.Name);
        Assert.Equal("SyncPaused", pair.B.Replica.DescribeHoldUp()!.Name);
        Assert.Contains(atSource ? "on n1" : "on n2", pair.B.Replica.DescribeHoldUp()!.Reason, StringComparison.Ordinal);
        Assert.Equal(0, pair.A.Write(7, 43).Result);
        Assert.Equal(0, pair.A.Write(100, 44).Result);
        Assert.Equal((43, 44), (pair.B.Disk[7], pair.B.Disk[100]));
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Equal(0, flush.Result);
        Assert.Equal(1, pair.A.Replica.DirtyBlocks);

        pausing.Replica.PauseSync(false, pausing.Answer);
        pair.Run();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Null(pair.A.Replica.DescribeHoldUp());
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void A_pause_outlives_the_connection_and_both_have_to_resume()
    {
        ManualPair pair = Resyncing();
        pair.A.Replica.PauseSync(true, pair.A.Answer);
        pair.B.Replica.PauseSync(true, pair.B.Answer);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        pair.LinkDown();
        pair.Tick();
        pair.LinkUp();
        pair.Tick();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        pair.A.Replica.PauseSync(false, pair.A.Answer);
        pair.Run();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        Assert.Contains("still on n2", pair.A.Answers[^1].Message, StringComparison.Ordinal);
        Assert.EndsWith("on n2", pair.A.Replica.DescribeHoldUp()!.Remedy, StringComparison.Ordinal);
        pair.B.Replica.PauseSync(false, pair.B.Answer);
        pair.Run();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void Copies_under_way_when_it_is_paused_are_flushed_and_counted()
    {
        ManualPair pair = Resyncing();
        pair.Stop(pair.B, "apply");
        pair.LinkUp();
        pair.A.Replica.PauseSync(true, pair.A.Answer);
        pair.Go(pair.B, "apply");
        Assert.Equal(0, pair.A.Replica.DirtyBlocks);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void With_nothing_to_copy_a_pause_keeps_nobody_from_joining()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();
        pair.A.Replica.PauseSync(true, pair.A.Answer);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Null(pair.A.Replica.DescribeHoldUp());
    }

    private static ManualPair Resyncing()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        pair.Tick();
        Assert.Equal(0, pair.A.Write(7, 42).Result);
        return pair;
    }
}
