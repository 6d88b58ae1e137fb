using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// Modes memory and async: what is answered when (safety contract, section 2, rules 2, 4, 5 and 6), and what is never
/// forgotten. docs/concepts/guarantees.md names these tests.
/// </summary>
public class AheadTests
{
    [Fact]
    public void In_sync_a_write_waits_for_the_peers_disk()
    {
        ManualPair pair = Serving(ReplicationMode.Sync);
        pair.Stop(pair.B, "apply");
        ManualRequest write = pair.A.Write(1, 7);
        Assert.Null(write.Result);
        Assert.Empty(pair.B.Received);
        pair.Go(pair.B, "apply");
        Assert.Equal(0, write.Result);
    }

    [Fact]
    public void In_memory_a_write_waits_until_the_peer_has_received_it()
    {
        ManualPair pair = Serving(ReplicationMode.Memory);
        pair.Stop(pair.B, "apply");
        pair.Stop(pair.A, "send");
        ManualRequest write = pair.A.Write(1, 7);
        Assert.Null(write.Result);
        pair.Go(pair.A, "send");
        Assert.Equal(0, write.Result);
        Assert.Equal(0, pair.B.Disk[1]);
        Assert.Equal(4096, pair.A.Replica.AheadBytes);
        pair.Go(pair.B, "apply");
        Assert.Equal(7, pair.B.Disk[1]);
        Assert.Equal(0, pair.A.Replica.AheadBytes);
    }

    [Fact]
    public void In_memory_a_write_waits_for_the_local_disk_too()
    {
        ManualPair pair = Serving(ReplicationMode.Memory);
        pair.Stop(pair.A, "write");
        ManualRequest write = pair.A.Write(1, 7);
        Assert.Null(write.Result);
        pair.Go(pair.A, "write");
        Assert.Equal(0, write.Result);
    }

    [Fact]
    public void In_async_a_write_waits_for_the_local_disk_only()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        pair.Stop(pair.A, "send");
        pair.Stop(pair.A, "write");
        ManualRequest write = pair.A.Write(1, 7);
        Assert.Null(write.Result);
        pair.Go(pair.A, "write");
        Assert.Equal(0, write.Result);
        Assert.Equal(4096, pair.A.Replica.AheadBytes);
        Assert.Equal(pair.NowNs, pair.A.Replica.AheadSinceNs);
        pair.Go(pair.A, "send");
        Assert.Equal(7, pair.B.Disk[1]);
        Assert.Equal((0L, -1L), (pair.A.Replica.AheadBytes, pair.A.Replica.AheadSinceNs));
    }

    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_flush_waits_for_both_disks_in_every_mode(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.A.Write(1, 7);
        pair.Stop(pair.B, "flush");
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Null(flush.Result);
        pair.Go(pair.B, "flush");
        Assert.Equal(0, flush.Result);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_flush_covers_what_was_answered_ahead(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Null(flush.Result);
        pair.Go(pair.B, "apply");
        Assert.Equal(0, flush.Result);
    }

    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_write_with_force_unit_access_waits_for_both_disks_in_every_mode(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        ManualRequest write = pair.A.Make(VolumeOperation.Write, 1, 7);
        write.ForceUnitAccess = true;
        pair.A.Replica.Submit(write);
        pair.Run();
        Assert.Null(write.Result);
        pair.Go(pair.B, "apply");
        Assert.Equal(0, write.Result);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void An_overlapping_write_waits_until_both_sides_have_completed_the_first(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        ManualRequest second = pair.A.Write(1, 8);
        Assert.Null(second.Result);
        Assert.Equal(1, pair.Waiting(pair.B, "apply"));
        pair.Go(pair.B, "apply");
        Assert.Equal(0, second.Result);
        Assert.Equal(8, pair.B.Disk[1]);
    }

    [Fact]
    public void In_async_a_read_waits_for_what_the_peer_may_lack()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        pair.Stop(pair.B, "apply");
        pair.A.Write(1, 7);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        ManualRequest elsewhere = pair.A.Submit(VolumeOperation.Read, 2);
        pair.Run();
        Assert.Null(read.Result);
        Assert.Equal(0, elsewhere.Result);
        pair.Go(pair.B, "apply");
        Assert.Equal((0, 7), (read.Result, read.Stamp));
    }

    [Fact]
    public void In_async_a_read_does_not_wait_for_writes_that_began_after_it()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        pair.Stop(pair.B, "apply");
        pair.A.Write(1, 7);
        ManualRequest read = pair.A.Make(VolumeOperation.Read, 1);
        read.LengthBytes = 8192;
        pair.A.Replica.Submit(read);
        pair.Run();
        Assert.Equal(0, pair.A.Write(2, 8).Result);
        Assert.Null(read.Result);
        pair.Complete(pair.B, "apply");
        pair.Run();
        Assert.Equal(0, read.Result);
        Assert.Equal(1, pair.Waiting(pair.B, "apply"));
        pair.Go(pair.B, "apply");
    }

    [Fact]
    public void In_memory_a_read_waits_only_until_the_peer_has_received_the_write()
    {
        ManualPair pair = Serving(ReplicationMode.Memory);
        pair.Stop(pair.B, "apply");
        pair.Stop(pair.A, "send");
        pair.A.Write(1, 7);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        Assert.Null(read.Result);
        pair.Go(pair.A, "send");
        Assert.Equal((0, 7), (read.Result, read.Stamp));
    }

    [Theory]
    [InlineData(2 * 4096, 3_000_000_000, 2)]
    [InlineData(1, 3_000_000_000, 1)]
    public void In_async_writes_beyond_the_buffer_wait(long bytes, long ns, int answered)
    {
        ManualPair pair = Serving(ReplicationMode.Async, bytes, ns);
        pair.Stop(pair.B, "apply");
        ManualRequest[] writes = [.. Enumerable.Range(1, 4).Select(i => pair.A.Write(i, i))];
        Assert.Equal(answered, writes.Count(write => write.Result == 0));
        Assert.Equal(answered * 4096, pair.A.Replica.AheadBytes);
        Assert.Equal(0, pair.A.Disk[4]);
        pair.Complete(pair.B, "apply");
        pair.Run();
        Assert.Equal(answered + 1, writes.Count(write => write.Result == 0));
        pair.Go(pair.B, "apply");
        Assert.All(writes, write => Assert.Equal(0, write.Result));
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void In_async_writes_wait_while_the_peer_is_too_far_behind_in_time()
    {
        ManualPair pair = Serving(ReplicationMode.Async, bytes: 1 << 20, ns: 3_000_000_000);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Advance(3_000_000_000);
        Assert.Equal(0, pair.A.Write(2, 2).Result);
        pair.Advance(1);
        ManualRequest late = pair.A.Write(3, 3);
        Assert.Null(late.Result);
        pair.Complete(pair.B, "apply");
        pair.Run();
        Assert.Equal(0, late.Result);
    }

    [Fact]
    public void What_waits_for_the_buffer_is_held_with_the_rest_when_the_link_is_lost()
    {
        ManualPair pair = Serving(ReplicationMode.Async, bytes: 4096);
        pair.Stop(pair.B, "apply");
        pair.A.Write(1, 1);
        ManualRequest waits = pair.A.Write(2, 2);
        Assert.Null(waits.Result);
        pair.LinkDown();
        Assert.Null(waits.Result);
        Assert.Equal(1, pair.A.Replica.HeldRequests);
        pair.Go(pair.B, "apply");
        pair.LinkUp();
        Assert.Equal(0, waits.Result);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void What_was_answered_ahead_is_dirty_when_the_link_is_lost(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        Assert.Equal(0, pair.A.Write(9, 8).Result);
        pair.LinkDown();
        Assert.Equal(2, pair.A.Replica.DirtyBlocks);
        Assert.Equal(0, pair.A.Replica.AheadBytes);
        pair.B.Crash(new Random(1), powerCut: true);
        pair.Go(pair.B, "apply");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal((7, 8), (pair.B.Disk[1], pair.B.Disk[9]));
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void What_was_answered_ahead_is_in_the_sync_set_after_a_crash_of_the_primary(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.A, "send");
        pair.Stop(pair.B, "apply");
        ManualRequest write = pair.A.Write(1, 7);
        pair.Go(pair.A, "send");
        Assert.Equal(0, write.Result);
        pair.LinkDown();
        pair.A.Crash(new Random(1), powerCut: false);
        pair.B.Crash(new Random(1), powerCut: false);
        pair.Go(pair.B, "apply");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal((7, 7), (pair.A.Disk[1], pair.B.Disk[1]));
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_switchover_waits_until_the_peer_has_everything(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        pair.Go(pair.B, "apply");
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        ManualRequest read = pair.B.Submit(VolumeOperation.Read, 1);
        pair.Run();
        Assert.Equal(7, read.Stamp);
    }

    [Fact]
    public void A_takeover_applies_what_was_received_first()
    {
        ManualPair pair = Serving(ReplicationMode.Memory, hasArbiter: true);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.LinkDown();
        pair.Advance(Limits.LossNoticeNs);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Run();
        Assert.Empty(pair.B.Claims);
        pair.Go(pair.B, "apply");
        pair.B.Replica.ArbiterAnswered(pair.B.Claims[^1], ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Equal(7, pair.B.Disk[1]);
        Assert.DoesNotContain(pair.B.Events, e => e.StartsWith("writes-may-be-lost"));
    }

    [Fact]
    public void A_takeover_in_async_says_what_may_be_missing_and_the_old_primary_how_much()
    {
        ManualPair pair = Serving(ReplicationMode.Async, hasArbiter: true);
        pair.Stop(pair.A, "send");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.LinkDown();
        pair.Advance(Limits.LossNoticeNs);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.B.Replica.ArbiterAnswered(pair.B.Claims[^1], ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Contains(pair.B.Events, e => e.StartsWith("writes-may-be-lost"));
        Assert.Equal(0, pair.B.Write(2, 2).Result);
        pair.Go(pair.A, "send");

        // A Primary is never a target: it loses the role first, and connects again.
        pair.LinkUp();
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal((0, 2), (pair.A.Disk[1], pair.A.Disk[2]));
        Assert.Contains(pair.A.Events, e => e.StartsWith("writes-lost") && e.Contains("4096 bytes"));
    }

    [Fact]
    public void A_takeover_by_a_daemon_that_was_started_since_says_what_it_may_have_lost()
    {
        ManualPair pair = Serving(ReplicationMode.Memory, hasArbiter: true);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.LinkDown();
        pair.TakeAll(pair.B);
        pair.B.Crash(new Random(1), powerCut: false);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Advance(10_000_000_000);
        pair.B.Replica.Tick();
        pair.B.Replica.ArbiterAnswered(pair.B.Claims[^1], ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Equal(0, pair.B.Disk[1]);
        Assert.Contains(pair.B.Events, e => e.StartsWith("writes-may-be-lost") && e.Contains("in memory"));
    }

    [Fact]
    public void A_forced_promotion_lacks_what_only_the_other_node_has()
    {
        ManualPair pair = Serving(ReplicationMode.Sync, continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Run();
        Assert.Equal((Role.Primary, 0), (pair.B.Replica.Role, pair.B.Disk[1]));
        Assert.Contains(pair.B.Events, e => e.StartsWith("override"));
    }

    [Fact]
    public void A_changed_mode_does_not_change_what_a_crashed_primary_left()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        Assert.True(pair.A.Stored[0].WasAhead);
        Assert.False(Serving(ReplicationMode.Sync).A.Stored[0].WasAhead);
        HandshakeFacts facts = HandshakeFacts.Of(
            pair.A.Stored, default, isPrimary: false, syncSetBlocks: 0, ReplicationMode.Sync);
        Assert.False(facts.IsSynchronous);
    }

    [Fact]
    public void Different_modes_are_refused_with_both_named_and_a_remedy()
    {
        int node = 0;
        var pair = new ManualPair(adjust: s => s with
        {
            Mode = node++ == 0 ? ReplicationMode.Sync : ReplicationMode.Async,
        });
        pair.LinkUp();
        NamedState? state = pair.A.Replica.DescribeHoldUp();
        Assert.Equal("ModesDiffer", state?.Name);
        Assert.Contains("mode sync and n2 for async", state!.Reason);
        Assert.Contains("configuration of both nodes", state.Remedy);
    }

    [Fact]
    public void Received_in_another_mode_breaks_the_protocol()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        pair.A.Replica.PeerReceived(1);
        pair.Run();
        Assert.Contains(pair.A.Events, e => e.StartsWith("close protocol error"));
    }

    [Fact]
    public void Resync_copies_and_what_is_answered_ahead_do_not_overtake_each_other()
    {
        ManualPair pair = Serving(ReplicationMode.Async, continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        ManualRequest newer = pair.A.Write(1, 2);
        Assert.Null(newer.Result);
        pair.Stop(pair.B, "apply");
        pair.Go(pair.A, "copy");
        pair.Go(pair.B, "apply");
        Assert.Equal(0, newer.Result);
        Assert.Equal(2, pair.B.Disk[1]);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_primary_that_loses_its_disk_goes_on_when_the_peer_has_what_was_answered_ahead(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.A.FailsWrites = true;
        ManualRequest refused = pair.A.Write(2, 8);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        Assert.Equal((WritePath.Closed, null, null), (pair.A.Replica.Path, refused.Result, read.Result));
        Assert.Equal(4096, pair.A.Replica.AheadBytes);

        pair.Go(pair.B, "apply");
        Assert.Equal((WritePath.Remote, 0L), (pair.A.Replica.Path, pair.A.Replica.AheadBytes));
        Assert.Equal((0, 0, 7), (refused.Result, read.Result, read.Stamp));
        Assert.Equal((7, 8), (pair.B.Disk[1], pair.B.Disk[2]));
        Assert.DoesNotContain(pair.A.Events, e => e.StartsWith("writes-lost"));
    }

    [Fact]
    public void What_was_answered_ahead_of_a_lost_disk_is_still_sent_from_memory()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        pair.Stop(pair.A, "send");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.A.FailsWrites = true;
        ManualRequest refused = pair.A.Write(2, 8);
        Array.Clear(pair.A.Disk);
        Assert.Null(refused.Result);
        pair.Go(pair.A, "send");
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.Run();
        Assert.Equal((0, 0, 7), (refused.Result, read.Result, read.Stamp));
    }

    [Fact]
    public void What_was_answered_ahead_and_is_lost_with_disk_and_link_is_told_and_never_served_around()
    {
        ManualPair pair = Serving(ReplicationMode.Async, hasArbiter: true);
        pair.Stop(pair.B, "apply");
        pair.Stop(pair.A, "send");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.A.FailsWrites = true;
        ManualRequest refused = pair.A.Write(2, 8);
        pair.LinkDown();
        pair.Advance(Limits.LossNoticeNs);
        Assert.Equal(5, refused.Result);
        Assert.NotNull(pair.A.Replica.Failure);
        Assert.Contains(pair.A.Events, e => e.StartsWith("writes-lost") && e.Contains(" 4096 bytes"));

        pair.Go(pair.A, "send");
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.B.Replica.ArbiterAnswered(pair.B.Claims[^1], ClaimAnswer.Granted);
        pair.Go(pair.B, "apply");
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Contains(pair.B.Events, e => e.StartsWith("writes-may-be-lost"));
    }

    [Fact]
    public void A_link_that_breaks_before_all_has_arrived_at_the_only_copy_ends_a_primary_without_disk()
    {
        ManualPair pair = Serving(ReplicationMode.Async);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.A.FailsWrites = true;
        ManualRequest refused = pair.A.Write(2, 8);

        // The peer has noted that it keeps the only copy, and has not written what was sent before that.
        Assert.True(pair.B.Replica.KeepsOnlyCopy);
        pair.TakeAll(pair.B);
        pair.LinkDown();
        Assert.Equal(5, refused.Result);
        Assert.NotNull(pair.A.Replica.Failure);
        Assert.Contains(pair.A.Events, e => e.StartsWith("writes-lost"));
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void Through_the_peers_disk_alone_nothing_is_answered_ahead(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.A.FailsWrites = true;
        Assert.Equal(0, pair.A.Write(2, 8).Result);
        Assert.Equal(WritePath.Remote, pair.A.Replica.Path);
        pair.Stop(pair.B, "apply");
        ManualRequest write = pair.A.Write(3, 9);
        Assert.Null(write.Result);
        pair.Go(pair.B, "apply");
        Assert.Equal(0, write.Result);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_standby_whose_disk_refuses_what_was_answered_ahead_is_outlived(ReplicationMode mode)
    {
        ManualPair pair = Serving(mode);
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 7).Result);
        pair.B.FailsWrites = true;
        pair.Go(pair.B, "apply");
        Assert.Equal((WritePath.Alone, 1), (pair.A.Replica.Path, pair.A.Replica.DirtyBlocks));
        Assert.Equal(0, pair.A.Write(2, 8).Result);
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
    }

    private static ManualPair Serving(
        ReplicationMode mode, long bytes = 1 << 20, long ns = 5_000_000_000, bool hasArbiter = false,
        bool continueOnPeerLoss = false) =>
        ManualPair.Serving(hasArbiter, continueOnPeerLoss,
            s => s with { Mode = mode, AheadBytes = bytes, AheadNs = ns });
}
