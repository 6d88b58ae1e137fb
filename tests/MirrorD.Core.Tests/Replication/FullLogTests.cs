using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>An activity log whose extents are all in use while a resync runs.</summary>
public class FullLogTests
{
    private const int BlocksPerExtent = 1024;

    [Fact]
    public void A_pass_clears_only_bits_of_copies_that_it_covers_when_a_write_waits_for_the_log()
    {
        ManualPair pair = AloneWithSmallLog();
        Assert.Equal(0, pair.A.Write(10, 1).Result);
        Assert.Equal(0, pair.A.Write(BlocksPerExtent, 2).Result);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(2, pair.Waiting(pair.A, "copy"));
        pair.Complete(pair.A, "copy");
        pair.Run();

        // Two writes fill the log, the third one waits for room: that begins a pass, which covers the first copy.
        pair.Stop(pair.A, "write");
        pair.Stop(pair.A, "flush");
        ManualRequest[] writes = [.. Enumerable.Range(3, 3).Select(extent =>
            pair.A.Submit(VolumeOperation.Write, extent * BlocksPerExtent, extent))];
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.A, "flush"));

        // The second copy is taken by the target after it has flushed.
        pair.Complete(pair.A, "copy");
        pair.Run();
        Assert.Equal(2, pair.B.Disk[BlocksPerExtent]);
        pair.Complete(pair.A, "flush");
        pair.Run();
        Assert.False(pair.A.Replica.Map(0).IsDirty(10));
        Assert.True(pair.A.Replica.Map(0).IsDirty(BlocksPerExtent), "no flush of the target has covered it yet");

        pair.Go(pair.A, "copy");
        pair.Go(pair.A, "write");
        pair.Go(pair.A, "flush");
        Assert.All(writes, write => Assert.Equal(0, write.Result));
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    private static ManualPair AloneWithSmallLog()
    {
        var pair = new ManualPair(hasArbiter: true, adjust: settings => settings with { ActiveExtents = 2 });
        pair.LinkUp();
        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.Run();
        pair.A.Claimed = session =>
        {
            pair.A.Replica.ArbiterAnswered(session, ClaimAnswer.Granted);
            pair.Run();
        };
        pair.LinkDown();
        pair.Tick();
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        return pair;
    }
}
