using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A disk that fails: the copy no longer counts, also after the daemon was started again.</summary>
public class DiskFailureTests
{
    private static ManualPair WithFailedPrimary()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.A.FailsFlushes = true;
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Equal(0, flush.Result);
        Assert.Equal(DiskState.Failed, pair.A.Replica.DiskState);
        pair.LinkDown();
        pair.A.FailsFlushes = false;
        return pair;
    }

    [Fact]
    public void A_copy_whose_flush_failed_is_not_promoted_after_a_restart()
    {
        ManualPair pair = WithFailedPrimary();

        // The kernel has dropped the pages that it could not write: the next flush succeeds and proves
        // nothing.
        pair.A.Disk[1] = 0;
        pair.A.Crash(new Random(1), powerCut: false);
        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.Run();
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.Empty(pair.A.Claims);
        Assert.Equal("DiskFailed", pair.A.Replica.DescribeHoldUp()?.Name);
    }

    [Fact]
    public void A_copy_whose_flush_failed_is_synchronised_when_it_returns()
    {
        ManualPair pair = WithFailedPrimary();
        pair.A.Disk[1] = 0;
        pair.A.Crash(new Random(1), powerCut: true);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(1, pair.A.Disk[1]);
        Assert.Equal(1, pair.B.Disk[1]);
    }

    [Fact]
    public void A_standby_whose_flush_failed_is_not_promoted_after_a_restart()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.B.FailsFlushes = true;
        pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.NotNull(pair.B.Replica.Failure);
        pair.LinkDown();
        pair.B.FailsFlushes = false;
        pair.B.Crash(new Random(1), powerCut: false);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Run();
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
        Assert.Empty(pair.B.Claims);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
    }

    [Fact]
    public void A_failure_in_the_middle_of_a_promotion_is_stored_after_it_and_nothing_is_served()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.LinkDown();
        pair.A.FailsFlushes = true;
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[0], ClaimAnswer.Granted);
        pair.Run();
        pair.Stop(pair.A, "superblock");
        ManualRequest write = pair.A.Write(2, 2);
        pair.A.Replica.Submit(pair.A.Make(VolumeOperation.Flush));
        pair.Tick();
        pair.Go(pair.A, "superblock");
        pair.Tick();
        Assert.NotNull(pair.A.Replica.Failure);
        Assert.Equal(DiskState.Inconsistent, pair.A.Stored[0].DiskState);
        Assert.Equal(pair.A.Replica.State, pair.A.Stored[0]);
        Assert.NotNull(write.Result);
    }
}
