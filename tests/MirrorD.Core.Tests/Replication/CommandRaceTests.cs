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
}
