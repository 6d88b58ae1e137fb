using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Resync;

/// <summary>What a resync has copied, and clients write before it is flushed.</summary>
public class CopyTests
{
    [Fact]
    public void Of_a_copied_range_the_block_that_was_written_since_stays_dirty_and_no_other_one()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        pair.Tick();
        foreach (int block in new[] { 7, 8, 9 })
        {
            Assert.Equal(0, pair.A.Write(block, 40 + block).Result);
        }

        // Copied in one piece, not flushed yet; then the middle block is written.
        pair.Stop(pair.B, "flush");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        Assert.Equal(3 * 4096, pair.A.Replica.SyncSentBytes);
        Assert.Equal((DiskState.Inconsistent, true), (pair.A.Stored[0].PeerDiskState, pair.A.Stored[0].PeerExcluded));
        Assert.Equal(0, pair.A.Write(8, 80).Result);
        pair.Stop(pair.A, "copy");
        pair.Go(pair.B, "flush");
        Assert.Equal((false, true, false),
            (pair.A.Replica.Map(0).IsDirty(7), pair.A.Replica.Map(0).IsDirty(8), pair.A.Replica.Map(0).IsDirty(9)));

        pair.Go(pair.A, "copy");
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal((47, 80, 49), (pair.B.Disk[7], pair.B.Disk[8], pair.B.Disk[9]));
    }

    [Fact]
    public void At_a_rate_copies_begin_at_even_times_while_clients_write_and_not_together_at_each_tick()
    {
        var pair = new ManualPair(adjust: s => s with { ResyncBytesPerSecond = 4 << 20 });
        pair.LinkUp();
        for (int i = 0; i < 5 && pair.A.Replica.Phase != LinkPhase.Joined; i++)
        {
            pair.Tick();
        }

        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.Run();
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        var begun = new List<long>();
        for (int ms = 1; ms <= 1000; ms++)
        {
            long before = pair.A.Replica.SyncCoveredBytes;
            pair.Advance(1_000_000);
            if (ms % 100 == 0)
            {
                pair.Tick(0);
            }

            Assert.Equal(0, pair.A.Write(ms % 64, ms).Result);
            long bytes = pair.A.Replica.SyncCoveredBytes - before;
            if (bytes > 0)
            {
                begun.Add(bytes);
            }
        }

        // 128 KiB each 31 ms.
        Assert.InRange(begun.Count, 30, 34);
        Assert.All(begun, bytes => Assert.Equal(128 << 10, bytes));
    }
}
