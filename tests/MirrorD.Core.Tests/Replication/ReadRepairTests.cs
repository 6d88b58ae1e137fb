using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A range that a Primary's disk can't read is read from the peer and written again.</summary>
public class ReadRepairTests
{
    private static ManualPair WithUnreadableBlock()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(1, 11).Result);
        pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        pair.A.Unreadable.Add(1);
        pair.A.Disk[1] = -1;
        return pair;
    }

    private static ManualRequest Read(ManualPair pair)
    {
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        return read;
    }

    [Fact]
    public void The_client_gets_the_peers_data_and_the_range_is_readable_again()
    {
        ManualPair pair = WithUnreadableBlock();
        ManualRequest read = Read(pair);
        Assert.Equal((0, 11), (read.Result, read.Stamp));
        Assert.Equal(11, pair.A.Disk[1]);
        Assert.Equal(1, pair.A.Replica.RepairedReads);
        Assert.Contains(pair.A.Events, e => e.StartsWith("read-repaired", StringComparison.Ordinal));
        Assert.Equal(WritePath.Mirrored, pair.A.Replica.Path);
        Assert.Equal((0, 11), (Read(pair).Result, read.Stamp));
        Assert.Equal(1, pair.A.Replica.RepairedReads);
    }

    [Fact]
    public void A_write_waits_until_the_repair_is_done_and_wins()
    {
        ManualPair pair = WithUnreadableBlock();
        pair.Stop(pair.A, "repair");
        ManualRequest read = Read(pair);
        ManualRequest write = pair.A.Write(1, 12);
        Assert.Null(write.Result);
        pair.Go(pair.A, "repair");
        Assert.Equal((0, 11), (read.Result, read.Stamp));
        Assert.Equal(0, write.Result);
        Assert.Equal((12, 12), (pair.A.Disk[1], pair.B.Disk[1]));
    }

    [Fact]
    public void A_read_repair_waits_for_the_write_that_is_under_way_there()
    {
        ManualPair pair = WithUnreadableBlock();
        pair.Stop(pair.A, "write");
        ManualRequest write = pair.A.Write(1, 12);
        ManualRequest read = Read(pair);
        Assert.Null(read.Result);
        pair.Go(pair.A, "write");
        Assert.Equal(0, write.Result);
        Assert.Equal((0, 12), (read.Result, read.Stamp));
    }

    [Fact]
    public void What_neither_disk_can_read_is_an_error()
    {
        ManualPair pair = WithUnreadableBlock();
        pair.B.Unreadable.Add(1);
        Assert.Equal(5, Read(pair).Result);
        Assert.Equal(WritePath.Mirrored, pair.A.Replica.Path);
        Assert.Equal(0, pair.A.Write(1, 12).Result);
    }

    [Fact]
    public void A_repair_that_fails_takes_the_disk_out_of_use_and_the_read_is_answered()
    {
        ManualPair pair = WithUnreadableBlock();
        pair.A.FailsWrites = true;
        ManualRequest read = Read(pair);
        Assert.Equal((0, 11), (read.Result, read.Stamp));
        Assert.Equal(WritePath.Remote, pair.A.Replica.Path);
        Assert.Equal(DiskState.Failed, pair.A.Replica.DiskState);
    }

    [Fact]
    public void Nothing_is_repaired_from_a_peer_whose_disk_has_failed()
    {
        ManualPair pair = WithUnreadableBlock();
        Assert.Equal(0, pair.A.Write(2, 2).Result);
        pair.Stop(pair.B, "superblock");
        pair.B.FailsFlushes = true;
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Null(flush.Result);
        pair.B.Disk[1] = 0;
        Assert.Equal(5, Read(pair).Result);
        Assert.Equal(0, pair.A.Replica.RepairedReads);
        pair.Go(pair.B, "superblock");
        Assert.Equal(0, flush.Result);
    }

    [Fact]
    public void Without_the_peer_a_read_error_is_the_clients()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        Assert.Equal(0, pair.A.Write(1, 11).Result);
        pair.A.Unreadable.Add(1);
        pair.LinkDown();
        pair.Tick();
        Assert.Equal(5, Read(pair).Result);
    }

    [Fact]
    public void A_read_whose_answer_is_lost_with_the_link_is_read_again()
    {
        ManualPair pair = WithUnreadableBlock();
        pair.Stop(pair.B, "serve");
        ManualRequest read = Read(pair);
        pair.LinkDown();
        Assert.Null(read.Result);
        pair.LinkUp();
        pair.Go(pair.B, "serve");
        Assert.Equal((0, 11), (read.Result, read.Stamp));
    }

    [Fact]
    public void A_repair_that_ends_after_the_link_is_lost_answers_nobody_until_the_role_is_decided()
    {
        ManualPair pair = WithUnreadableBlock();
        pair.Stop(pair.A, "repair");
        ManualRequest read = Read(pair);
        pair.LinkDown();
        pair.Go(pair.A, "repair");
        Assert.Null(read.Result);
        pair.LinkUp();
        Assert.Equal((0, 11), (read.Result, read.Stamp));
    }

    [Fact]
    public void What_the_source_of_a_resync_can_not_read_is_left_out_until_it_is_written_again()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        pair.Tick();
        for (int block = 900; block < 910; block++)
        {
            Assert.Equal(0, pair.A.Write(block, block).Result);
        }

        pair.A.Unreadable.Add(905);
        pair.LinkUp();
        pair.Tick();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        Assert.Equal(WritePath.Mirrored, pair.A.Replica.Path);
        Assert.Equal(1, pair.A.Replica.DirtyBlocks);
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        Assert.Equal((904, 906), (pair.B.Disk[904], pair.B.Disk[906]));
        Assert.Single(pair.A.Events, e => e.StartsWith("resync-unreadable", StringComparison.Ordinal));
        Assert.Equal(0, pair.A.CopiesInUse);

        // Neither the copy nor what the peer has of it counts; whoever writes it makes it whole.
        Assert.Equal(0, pair.A.Write(905, 77).Result);
        pair.Tick(11_000_000_000);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal((77, 77), (pair.A.Disk[905], pair.B.Disk[905]));
    }

    [Fact]
    public void During_a_resync_only_what_the_peer_has_is_taken_from_it()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        Assert.Equal(0, pair.A.Write(1, 11).Result);
        Assert.Equal(0, pair.A.Write(900, 9).Result);
        pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        pair.LinkDown();
        pair.Tick();
        Assert.Equal(0, pair.A.Write(900, 99).Result);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        pair.A.Unreadable.Add(900);
        pair.A.Unreadable.Add(1);
        ManualRequest stale = pair.A.Submit(VolumeOperation.Read, 900);
        pair.Run();
        Assert.Equal(5, stale.Result);
        pair.A.Unreadable.Remove(900);
        Assert.Equal((0, 11), (Read(pair).Result, pair.A.Disk[1]));
    }
}
