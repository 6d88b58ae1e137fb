using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Resync;

/// <summary>What is equal by its hash is treated as what was copied: held against writes, and flushed before its bits go off.</summary>
public class HashTests
{
    [Fact]
    public void What_is_equal_is_not_sent_and_stays_dirty_until_both_sides_have_flushed_after_the_answer()
    {
        ManualPair pair = Resyncing();
        pair.Stop(pair.B, "flush");
        pair.LinkUp();
        Assert.Equal(1, pair.A.HashQuestions);
        Assert.Equal(4096, pair.A.Replica.SyncEqualBytes);
        Assert.Equal(0, pair.A.Replica.SyncSentBytes);
        Assert.Equal(1, pair.A.Replica.DirtyBlocks);
        pair.Go(pair.B, "flush");
        Assert.Equal(0, pair.A.Replica.DirtyBlocks);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void The_target_flushes_only_when_it_has_read_what_it_was_asked_about()
    {
        ManualPair pair = Resyncing();
        pair.Stop(pair.B, "hash");
        pair.LinkUp();
        ManualRequest flush = pair.A.Submit(Volumes.VolumeOperation.Flush);
        pair.Run();
        Assert.Equal(0, pair.Waiting(pair.B, "flush"));
        Assert.Null(flush.Result);
        pair.Go(pair.B, "hash");
        Assert.Equal(0, flush.Result);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void A_write_waits_until_the_range_was_compared()
    {
        ManualPair pair = Resyncing();
        pair.Stop(pair.B, "hash");
        pair.LinkUp();
        ManualRequest write = pair.A.Write(7, 100);
        Assert.Null(write.Result);
        pair.Go(pair.B, "hash");
        Assert.Equal(0, write.Result);
        Assert.Equal(100, pair.B.Disk[7]);
    }

    [Fact]
    public void What_the_target_can_not_read_is_sent()
    {
        ManualPair pair = Resyncing();
        pair.B.Unreadable.Add(7);
        pair.LinkUp();
        Assert.Equal(0, pair.A.Replica.SyncEqualBytes);
        Assert.Equal(4096, pair.A.Replica.SyncSentBytes);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void An_answer_of_a_lost_link_counts_for_nothing()
    {
        ManualPair pair = Resyncing();
        pair.Stop(pair.B, "hash");
        pair.LinkUp();
        pair.LinkDown();
        pair.B.Disk[7] = 5;
        pair.Go(pair.B, "hash");
        Assert.Equal(1, pair.A.Replica.DirtyBlocks);
        pair.LinkUp();
        Assert.Equal(pair.A.Disk[7], pair.B.Disk[7]);
        Assert.Equal(0, pair.A.CopiesInUse);
    }

    [Fact]
    public void A_question_to_who_serves_or_has_no_part_yet_breaks_the_protocol()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Contains("a question for a hash to a node that is Primary and Joined",
            pair.A.Replica.IncomingHashQuestion(new IncomingRead { Number = 1, LengthBytes = 4096 }), StringComparison.Ordinal);
        pair.LinkDown();
        Assert.Contains("a question for a hash to a node that is Standby and Down",
            pair.B.Replica.IncomingHashQuestion(new IncomingRead { Number = 1, LengthBytes = 4096 }), StringComparison.Ordinal);
    }

    /// <summary>A has written a block alone that B has by chance as well; the link is down.</summary>
    private static ManualPair Resyncing()
    {
        ManualPair pair = ManualPair.Serving(
            continueOnPeerLoss: true, adjust: s => s with { ResyncByChecksum = true });
        pair.LinkDown();
        pair.Tick();
        Assert.Equal(0, pair.A.Write(7, 42).Result);
        pair.B.Disk[7] = 42;
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        Assert.Equal(1, pair.A.Replica.DirtyBlocks);
        return pair;
    }
}
