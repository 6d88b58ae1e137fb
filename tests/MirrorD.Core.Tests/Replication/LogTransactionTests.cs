using MirrorD.Core.Volumes;

namespace MirrorD.Core.Tests.Replication;

/// <summary>Writes all over a volume: how many transactions of the activity log and how many checkpoints they take.</summary>
public class LogTransactionTests
{
    private const int BlocksPerExtent = 1024;

    [Fact]
    public void Writes_that_arrive_in_one_turn_share_a_transaction()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.A, "log");
        ManualRequest[] writes = Submit(pair, 0, 5);
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.A, "log"));
        Assert.All(writes, write => Assert.Null(write.Result));
        pair.Complete(pair.A, "log");
        pair.Run();
        Assert.All(writes, write => Assert.Equal(0, write.Result));
        Assert.Equal(0, pair.Waiting(pair.A, "log"));
    }

    [Fact]
    public void Writes_that_arrive_while_a_transaction_runs_share_the_next_one()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.A, "log");
        ManualRequest first = Submit(pair, 0, 1)[0];
        pair.Run();
        ManualRequest[] others = Submit(pair, 1, 4);
        pair.Run();
        Assert.Equal(1, pair.Waiting(pair.A, "log"));
        pair.Complete(pair.A, "log");
        pair.Run();
        Assert.Equal(0, first.Result);
        Assert.Equal(1, pair.Waiting(pair.A, "log"));
        Assert.All(others, write => Assert.Null(write.Result));
        pair.Complete(pair.A, "log");
        pair.Run();
        Assert.All(others, write => Assert.Equal(0, write.Result));
    }

    [Fact]
    public void A_transaction_takes_the_place_of_as_many_clean_extents_as_the_writes_of_a_turn_need()
    {
        ManualPair pair = WithLog(8);
        for (int extent = 0; extent < 8; extent++)
        {
            Assert.Equal(0, pair.A.Write(extent * BlocksPerExtent, 1).Result);
        }

        // Flushed on both sides: all are clean.
        pair.Tick();
        pair.Stop(pair.A, "log");
        pair.Stop(pair.A, "flush");
        ManualRequest[] writes = Submit(pair, 8, 6);
        pair.Run();
        pair.Complete(pair.A, "log");
        pair.Run();
        Assert.All(writes, write => Assert.Equal(0, write.Result));
        Assert.Equal((0, 0), (pair.Waiting(pair.A, "log"), pair.Waiting(pair.A, "flush")));
    }

    [Fact]
    public void A_checkpoint_begins_before_a_write_has_to_wait_for_it()
    {
        ManualPair pair = WithLog(8);
        pair.Stop(pair.A, "flush");
        for (int extent = 0; extent < 8; extent++)
        {
            Assert.Equal(0, pair.Waiting(pair.A, "flush"));
            Assert.Equal(0, pair.A.Write(extent * BlocksPerExtent, 1).Result);
        }

        // Only now the log is full, and the next write finds room.
        Assert.Equal(1, pair.Waiting(pair.A, "flush"));
        pair.Complete(pair.A, "flush");
        pair.Run();
        Assert.Equal(0, pair.A.Write(8 * BlocksPerExtent, 2).Result);
        Assert.Equal(0, pair.Waiting(pair.A, "flush"));
    }

    [Fact]
    public void Writes_within_a_full_log_ask_for_no_checkpoint()
    {
        ManualPair pair = WithLog(8);
        for (int round = 0; round < 5; round++)
        {
            for (int extent = 0; extent < 8; extent++)
            {
                Assert.Equal(0, pair.A.Write(extent * BlocksPerExtent, round + 1).Result);
            }

            pair.Stop(pair.A, "flush");
        }

        Assert.Equal(0, pair.Waiting(pair.A, "flush"));
    }

    private static ManualPair WithLog(int extents) =>
        ManualPair.Serving(adjust: settings => settings with { ActiveExtents = extents });

    /// <summary>A write to each of the extents, in one turn.</summary>
    private static ManualRequest[] Submit(ManualPair pair, int firstExtent, int count) =>
        [.. Enumerable.Range(firstExtent, count).Select(extent =>
            pair.A.Submit(VolumeOperation.Write, extent * BlocksPerExtent, extent + 1))];
}
