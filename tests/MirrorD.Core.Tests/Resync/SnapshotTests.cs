using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Resync;

/// <summary>A whole copy is kept before a resync makes a mixture of it, and dropped when it is whole again.</summary>
public class SnapshotTests
{
    [Fact]
    public void A_whole_copy_is_snapshotted_before_it_is_said_to_be_a_mixture()
    {
        ManualPair pair = Parted();
        int droppedBefore = pair.B.DroppedSnapshots;
        pair.Stop(pair.B, "snapshot");
        pair.LinkUp();
        Assert.Equal(1, pair.Waiting(pair.B, "snapshot"));
        Assert.NotEqual(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        Assert.Equal(LinkPhase.Joining, pair.A.Replica.Phase);

        pair.Stop(pair.B, "apply");
        pair.Go(pair.B, "snapshot");
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        Assert.Equal(droppedBefore, pair.B.DroppedSnapshots);
        (int[] disk, bool keeps) = Assert.Single(pair.B.Snapshots);
        Assert.Equal((41, 0, false), (disk[7], disk[8], keeps));

        pair.Go(pair.B, "apply");
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal((42, 43), (pair.B.Disk[7], pair.B.Disk[8]));
        Assert.Equal(droppedBefore + 1, pair.B.DroppedSnapshots);
        Assert.Empty(pair.A.Snapshots);
    }

    [Fact]
    public void A_mixture_is_not_snapshotted_when_its_resync_goes_on()
    {
        ManualPair pair = Parted();
        int droppedBefore = pair.B.DroppedSnapshots;
        pair.Stop(pair.B, "apply");
        pair.LinkUp();
        Assert.Single(pair.B.Snapshots);
        pair.LinkDown();
        pair.Go(pair.B, "apply");
        pair.Tick();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Single(pair.B.Snapshots);
        Assert.Equal(droppedBefore + 1, pair.B.DroppedSnapshots);
    }

    [Fact]
    public void With_nothing_to_copy_or_nothing_to_keep_no_snapshot_is_taken()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true, adjust: s => s with { SnapshotsTarget = true });
        Assert.Empty(pair.B.Snapshots);
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        pair.LinkDown();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Empty(pair.B.Snapshots);
    }

    [Fact]
    public void A_snapshot_that_ends_after_its_link_begins_nothing()
    {
        ManualPair pair = Parted();
        pair.Stop(pair.B, "snapshot");
        pair.LinkUp();
        pair.LinkDown();
        pair.Go(pair.B, "snapshot");
        Assert.NotEqual(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(2, pair.B.Snapshots.Count);
        Assert.Equal((42, 43), (pair.B.Disk[7], pair.B.Disk[8]));
    }

    [Fact]
    public void What_is_discarded_in_a_split_brain_is_kept_for_good()
    {
        ManualPair pair = Parted();
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Run();
        Assert.Equal(0, pair.B.Write(9, 99).Result);
        pair.B.Replica.Demote(pair.B.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.Equal("SplitBrain", pair.B.Replica.DescribeHoldUp()?.Name);
        Assert.Empty(pair.B.Snapshots);
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.Tick();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        (int[] disk, bool keeps) = Assert.Single(pair.B.Snapshots);
        Assert.Equal((99, true), (disk[9], keeps));
    }

    [Fact]
    public void There_is_something_to_go_back_from_only_in_a_mixture_without_its_source()
    {
        ManualPair pair = Parted();
        Assert.Contains("there is nothing to go back from", pair.B.Replica.RefusalOfRevert()?.Message, StringComparison.Ordinal);
        Assert.Contains("Primary", pair.A.Replica.RefusalOfRevert()?.Message, StringComparison.Ordinal);
        pair.Stop(pair.B, "apply");
        pair.LinkUp();
        Assert.Contains("is connected", pair.B.Replica.RefusalOfRevert()?.Message, StringComparison.Ordinal);
        pair.LinkDown();
        Assert.Contains("under way", pair.B.Replica.RefusalOfRevert()?.Message, StringComparison.Ordinal);
        pair.Go(pair.B, "apply");
        Assert.Null(pair.B.Replica.RefusalOfRevert());
    }

    /// <summary>Block 7 was 41 on both; A went on alone with 42, and 43 in block 8.</summary>
    private static ManualPair Parted()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true, adjust: s => s with { SnapshotsTarget = true });
        Assert.Equal(0, pair.A.Write(7, 41).Result);
        pair.LinkDown();
        pair.Tick();
        Assert.Equal(0, pair.A.Write(7, 42).Result);
        Assert.Equal(0, pair.A.Write(8, 43).Result);
        return pair;
    }
}
