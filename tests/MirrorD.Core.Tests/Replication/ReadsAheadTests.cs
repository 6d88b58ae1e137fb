using MirrorD.Core.Volumes;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// A value once read is not followed by an older one, also when the peer takes over (invariant 3).
/// </summary>
public class ReadsAheadTests
{
    [Fact]
    public void A_read_that_may_have_seen_a_write_waits_until_the_peer_has_it()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "apply");
        ManualRequest write = pair.A.Write(1, 7);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        ManualRequest elsewhere = pair.A.Submit(VolumeOperation.Read, 2);
        pair.Run();
        Assert.Null(write.Result);
        Assert.Null(read.Result);
        Assert.Equal(0, elsewhere.Result);

        pair.Go(pair.B, "apply");
        Assert.Equal(0, write.Result);
        Assert.Equal(0, read.Result);
    }

    [Fact]
    public void It_is_not_answered_when_the_link_is_lost_before()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "apply");
        pair.A.Write(1, 7);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        pair.LinkDown();
        Assert.Null(read.Result);

        pair.LinkUp();
        pair.Go(pair.B, "apply");
        Assert.Equal(0, read.Result);
    }
}
