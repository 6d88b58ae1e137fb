using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Resync;

/// <summary>Both sides flush what was copied while more is being copied.</summary>
public class CopyFlushTests
{
    [Fact]
    public void A_flush_begins_while_copies_are_under_way_and_clears_only_those_that_had_ended()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 1, 10, 100);
        CopyOne(pair);
        Assert.Equal((1, 1, 1), (pair.Waiting(pair.A, "copy"), pair.Waiting(pair.A, "flush"), pair.Waiting(pair.B, "flush")));

        // Taken by both sides after their flushes were issued: these don't cover it.
        CopyOne(pair);
        Assert.Equal(2, pair.B.Disk[100]);
        EndFlush(pair);
        Assert.Equal((false, true), (pair.A.Replica.Map(0).IsDirty(10), pair.A.Replica.Map(0).IsDirty(100)));

        // The next one does.
        Assert.Equal((1, 1), (pair.Waiting(pair.A, "flush"), pair.Waiting(pair.B, "flush")));
        EndFlush(pair);
        Assert.Equal(0, pair.A.Replica.DirtyBlocks);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void Both_sides_have_to_flush_in_whichever_order_they_end()
    {
        foreach (bool sourceFirst in new[] { true, false })
        {
            ManualPair pair = Resyncing(copiesPerFlush: 1, 10, 100);
            CopyOne(pair);
            pair.Complete(sourceFirst ? pair.A : pair.B, "flush");
            pair.Run();
            Assert.True(pair.A.Replica.Map(0).IsDirty(10));
            pair.Complete(sourceFirst ? pair.B : pair.A, "flush");
            pair.Run();
            Assert.False(pair.A.Replica.Map(0).IsDirty(10));
        }
    }

    [Fact]
    public void No_copy_begins_beyond_what_two_flushes_cover()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 2, 10, 100, 200, 300, 400, 500);
        Assert.Equal(4, pair.Waiting(pair.A, "copy"));
        for (int copy = 0; copy < 4; copy++)
        {
            CopyOne(pair);
        }

        // The pass that runs covers two of the four.
        Assert.Equal(0, pair.Waiting(pair.A, "copy"));
        EndFlush(pair);
        Assert.Equal(2, pair.Waiting(pair.A, "copy"));
        Assert.Equal(4, pair.A.Replica.DirtyBlocks);
        pair.Go(pair.A, "copy");
        pair.Go(pair.A, "flush");
        pair.Go(pair.B, "flush");
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void What_is_written_over_a_copy_while_it_is_flushed_stays_dirty()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 1, 10, 100);
        CopyOne(pair);
        ManualRequest write = pair.A.Write(10, 77);
        Assert.Equal(0, write.Result);
        EndFlush(pair);
        Assert.True(pair.A.Replica.Map(0).IsDirty(10));
        pair.Go(pair.A, "copy");
        pair.Go(pair.A, "flush");
        pair.Go(pair.B, "flush");
        Assert.Equal((LinkPhase.Joined, 77), (pair.A.Replica.Phase, pair.B.Disk[10]));
    }

    [Fact]
    public void A_link_that_is_lost_while_copies_are_flushed_leaves_all_of_them_dirty()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 1, 10, 100);
        CopyOne(pair);
        pair.Complete(pair.B, "flush");
        pair.LinkDown();
        pair.Go(pair.A, "flush");
        pair.Go(pair.B, "flush");
        pair.Go(pair.A, "copy");
        Assert.Equal(2, pair.A.Replica.DirtyBlocks);
        Assert.Equal(0, pair.A.CopiesInUse);
        pair.LinkUp();
        Assert.Equal((LinkPhase.Joined, 0L), (pair.A.Replica.Phase, pair.A.Replica.DirtyBlocks));
    }

    [Fact]
    public void More_copies_are_under_way_once_clients_have_been_quiet_for_a_while()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 64, [.. Enumerable.Range(1, 60).Select(i => i * 100)]);
        Assert.Equal(Limits.CopiesWhenIdle, pair.Waiting(pair.A, "copy"));
        Assert.Equal(0, pair.A.Write(1, 99).Result);
        while (pair.Waiting(pair.A, "copy") > Limits.CopiesBetweenRequests)
        {
            CopyOne(pair);
        }

        CopyOne(pair);
        Assert.Equal(Limits.CopiesBetweenRequests, pair.Waiting(pair.A, "copy"));
        pair.Advance(Limits.QuietNs);
        CopyOne(pair);
        Assert.Equal(Limits.CopiesWhenIdle, pair.Waiting(pair.A, "copy"));
    }

    /// <summary>A client that asks for something again waits behind all of them.</summary>
    [Fact]
    public void Quick_copies_make_room_for_more_of_them_and_slow_ones_take_it_back()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 128, [.. Enumerable.Range(1, 200).Select(i => i * 30)]);
        for (int under = Limits.CopiesWhenIdle; under < Limits.MostCopies; under++)
        {
            Assert.Equal(under, pair.Waiting(pair.A, "copy"));
            pair.Advance(Limits.QuickCopyNs / Limits.CopiesWhenIdle / 4);
            CopyOne(pair);
        }

        CopyOne(pair);
        Assert.Equal(Limits.MostCopies, pair.Waiting(pair.A, "copy"));

        // Another link may be another one in each respect.
        pair.LinkDown();
        pair.Go(pair.A, "copy");
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(Limits.CopiesWhenIdle, pair.Waiting(pair.A, "copy"));
        while (pair.Waiting(pair.A, "copy") < Limits.MostCopies)
        {
            CopyOne(pair);
        }

        pair.Advance(Limits.QuickCopyNs + 1);
        for (int under = Limits.MostCopies; under > Limits.CopiesWhenIdle; under--)
        {
            Assert.Equal(under, pair.Waiting(pair.A, "copy"));
            CopyOne(pair);
        }

        CopyOne(pair);
        Assert.Equal(Limits.CopiesWhenIdle, pair.Waiting(pair.A, "copy"));
    }

    /// <summary>Where a rate holds copies back, the quick ones of a burst come first, while all are under way.</summary>
    [Fact]
    public void Slow_copies_count_also_while_others_are_held_back()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 128, [.. Enumerable.Range(1, 200).Select(i => i * 30)]);
        while (pair.Waiting(pair.A, "copy") < Limits.MostCopies)
        {
            CopyOne(pair);
        }

        pair.A.Replica.PauseSync(true, pair.A.Answer);
        for (int copy = 0; copy < Limits.MostCopies; copy++)
        {
            if (copy == 10)
            {
                pair.Advance(Limits.QuickCopyNs + 1);
            }

            CopyOne(pair);
        }

        Assert.Equal(0, pair.Waiting(pair.A, "copy"));
        pair.A.Replica.PauseSync(false, pair.A.Answer);
        pair.Run();
        Assert.Equal(Limits.CopiesWhenIdle, pair.Waiting(pair.A, "copy"));
    }

    [Fact]
    public void Quick_copies_without_data_say_nothing_of_those_with_data()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 128, [.. Enumerable.Range(1, 100).Select(i => i * 60)]);
        Array.Clear(pair.A.Disk);
        for (int copy = 0; copy < 40; copy++)
        {
            CopyOne(pair);
            Assert.Equal(Limits.CopiesWhenIdle, pair.Waiting(pair.A, "copy"));
        }
    }

    [Fact]
    public void A_client_that_only_reads_is_not_quiet()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 64, [.. Enumerable.Range(1, 60).Select(i => i * 100)]);
        pair.Advance(Limits.QuietNs);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        Assert.Equal(0, read.Result);
        CopyOne(pair);
        Assert.Equal(Limits.CopiesWhenIdle - 1, pair.Waiting(pair.A, "copy"));
    }

    /// <summary>Reads of copies that follow each other without a pause are never all done.</summary>
    [Fact]
    public void A_demotion_does_not_wait_for_the_end_of_the_resync()
    {
        ManualPair pair = Resyncing(copiesPerFlush: 64, [.. Enumerable.Range(1, 60).Select(i => i * 100)]);
        pair.A.Replica.Demote(pair.A.Answer);
        for (int copy = 0; copy < Limits.CopiesWhenIdle; copy++)
        {
            CopyOne(pair);
        }

        Assert.Equal(1, pair.Waiting(pair.A, "flush"));
        EndFlush(pair);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.NotEqual(0, pair.A.Replica.DirtyBlocks);
    }

    /// <summary>The source reads one range; the target has it, and says so.</summary>
    private static void CopyOne(ManualPair pair)
    {
        pair.Complete(pair.A, "copy");
        pair.Run();
    }

    private static void EndFlush(ManualPair pair)
    {
        pair.Complete(pair.A, "flush");
        pair.Complete(pair.B, "flush");
        pair.Run();
    }

    /// <summary>
    /// The blocks were written alone, with the numbers 1, 2, …, and are read for the target; nobody flushes by himself.
    /// </summary>
    private static ManualPair Resyncing(int copiesPerFlush, params int[] blocks)
    {
        ManualPair pair = ManualPair.Serving(
            continueOnPeerLoss: true, adjust: settings => settings with { CopiesPerFlush = copiesPerFlush });
        pair.LinkDown();
        pair.Tick();
        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.Equal(0, pair.A.Write(blocks[i], i + 1).Result);
        }

        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        pair.Stop(pair.A, "flush");
        pair.Stop(pair.B, "flush");
        return pair;
    }
}
