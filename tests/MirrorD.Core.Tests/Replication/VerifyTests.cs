using MirrorD.Core.Replication;
using MirrorD.Core.Verify;
using MirrorD.Core.Volumes;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>The comparison of both copies of a joined pair, and its repairs.</summary>
public class VerifyTests
{
    private const int RangeBytes = Limits.CopyBlocks * Limits.BlockBytes;

    private static void Start(ManualPair pair, bool repairs = false, ManualNode? at = null)
    {
        ManualNode node = at ?? pair.A;
        node.Replica.StartVerify(repairs, node.Answer);
        Assert.True(node.Answers[^1].Succeeded, node.Answers[^1].Message);
        pair.Run();
    }

    private static VerifyPicture Ended(ManualPair pair, ManualNode? at = null)
    {
        VerifyPicture picture = (at ?? pair.A).Replica.Verify!;
        Assert.NotNull(picture.EndedNs);
        Assert.Equal(0, pair.A.CopiesInUse);
        return picture;
    }

    private static int Count(ManualPair pair, VerifyOutcome outcome) => pair.A.Compared.Count(c => c.Outcome == outcome);

    [Fact]
    public void Equal_copies_are_compared_as_a_whole_and_found_clean()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(1, 11).Result);
        Start(pair);
        Assert.EndsWith(
            "nothing is changed on either; for a repair, n1 is Primary, so that its copy counts", pair.A.Answers[^1].Message);
        VerifyPicture picture = Ended(pair);
        Assert.True(picture.IsClean);
        Assert.Equal((ManualNode.VolumeBytes, 0L, 0L),
            (picture.ComparedBytes, picture.DifferentBytes, picture.UnreadableBytes));
        Assert.Equal(ManualNode.VolumeBytes / RangeBytes, Count(pair, VerifyOutcome.Same));
        Assert.Contains(pair.A.Events, e => e.StartsWith("verify-done", StringComparison.Ordinal));

        // The other node shows it as well.
        Assert.Equal((false, true, ManualNode.VolumeBytes), (pair.B.Replica.Verify!.IsOwn, pair.B.Replica.Verify.IsClean,
            pair.B.Replica.Verify.ComparedBytes));
    }

    [Fact]
    public void Differences_are_listed_as_ranges_and_told_once_and_nothing_is_changed()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Disk[40] = 1;
        pair.B.Disk[70] = 2;
        pair.B.Disk[1000] = 3;
        Start(pair);
        VerifyPicture picture = Ended(pair);
        Assert.Equal(
            [
                new VerifyFinding(0, RangeBytes, 2 * RangeBytes, VerifyOutcome.Differs, false),
                new VerifyFinding(0, 31 * RangeBytes, RangeBytes, VerifyOutcome.Differs, false),
            ],
            picture.Findings);
        Assert.False(picture.IsClean);
        Assert.Equal(3 * RangeBytes, picture.DifferentBytes);
        Assert.Equal((1, 2, 3), (pair.B.Disk[40], pair.B.Disk[70], pair.B.Disk[1000]));
        Assert.Equal((0L, 0L), (pair.A.Replica.DirtyBlocks, pair.B.Replica.DirtyBlocks));
        Assert.Single(pair.A.Events, e => e.StartsWith("verify-differs", StringComparison.Ordinal));
    }

    [Fact]
    public void The_list_is_bounded_and_the_count_is_not()
    {
        ManualPair pair = ManualPair.Serving();
        for (int range = 0; range < 200; range += 2)
        {
            pair.B.Disk[range * Limits.CopyBlocks] = 1;
        }

        Start(pair);
        VerifyPicture picture = Ended(pair);
        Assert.Equal(Limits.VerifyFindings, picture.Findings.Count);
        Assert.Equal(100 * RangeBytes, picture.DifferentBytes);
    }

    [Fact]
    public void A_range_is_compared_only_when_no_write_is_under_way_in_it()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "apply");
        ManualRequest write = pair.A.Write(1, 11);
        Assert.Equal((11, 0), (pair.A.Disk[1], pair.B.Disk[1]));
        Start(pair);
        Assert.DoesNotContain(pair.A.Compared, c => c.Offset == 0);
        pair.Go(pair.B, "apply");
        Assert.Equal(0, write.Result);
        Assert.True(Ended(pair).IsClean);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void Nor_when_the_client_has_its_answer_and_the_peer_has_not_applied_the_write(ReplicationMode mode)
    {
        ManualPair pair = ManualPair.Serving(adjust: s => s with { Mode = mode });
        pair.Stop(pair.B, "apply");
        Assert.Equal(0, pair.A.Write(1, 11).Result);
        Assert.Equal((11, 0), (pair.A.Disk[1], pair.B.Disk[1]));
        Start(pair);
        Assert.DoesNotContain(pair.A.Compared, c => c.Offset == 0);
        pair.Go(pair.B, "apply");
        Assert.True(Ended(pair).IsClean);
    }

    [Theory]
    [InlineData("copy", true)]
    [InlineData("hash", false)]
    public void A_write_waits_until_its_range_was_compared(string slow, bool isHere)
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(isHere ? pair.A : pair.B, slow);
        Start(pair);
        ManualRequest write = pair.A.Write(1, 11);
        ManualRequest elsewhere = pair.A.Write(9000, 12);
        Assert.Null(write.Result);
        Assert.Equal(0, elsewhere.Result);
        pair.Go(isHere ? pair.A : pair.B, slow);
        Assert.Equal(0, write.Result);
        Assert.True(Ended(pair).IsClean);
    }

    [Fact]
    public void What_can_not_be_read_is_unreadable_and_not_different()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.Unreadable.Add(40);
        pair.B.Unreadable.Add(100);
        Start(pair);
        Assert.Equal(
            [
                new VerifyFinding(0, RangeBytes, RangeBytes, VerifyOutcome.UnreadableHere, false),
                new VerifyFinding(0, 3 * RangeBytes, RangeBytes, VerifyOutcome.UnreadableThere, false),
            ],
            Ended(pair).Findings);
        Assert.Equal((0L, 2L * RangeBytes), (Ended(pair).DifferentBytes, Ended(pair).UnreadableBytes));
        Assert.DoesNotContain(pair.A.Events, e => e.StartsWith("verify-differs", StringComparison.Ordinal));
        Assert.Single(pair.A.Events, e => e.StartsWith("verify-unreadable", StringComparison.Ordinal));
    }

    [Fact]
    public void Repair_says_who_wins_and_copies_what_differs_and_what_the_peer_can_not_read()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(40, 11).Result);
        pair.B.Disk[40] = -1;
        pair.B.Unreadable.Add(100);
        pair.A.Unreadable.Add(200);
        Start(pair, repairs: true);
        Assert.Contains("n1 is Primary, so that its copy counts", pair.A.Answers[^1].Message);
        VerifyPicture picture = Ended(pair);
        Assert.Equal((11, 11), (pair.A.Disk[40], pair.B.Disk[40]));
        Assert.Equal((RangeBytes, 2 * RangeBytes, 2 * RangeBytes),
            (picture.DifferentBytes, picture.UnreadableBytes, picture.RepairedBytes));
        Assert.Equal([true, true, false], picture.Findings.Select(f => f.IsRepaired));
        Assert.Equal(0, pair.A.Replica.DirtyBlocks);
        pair.A.Unreadable.Clear();
        Start(pair);
        Assert.True(Ended(pair).IsClean);
    }

    [Fact]
    public void A_repair_is_durably_dirty_before_it_is_sent_and_until_both_have_flushed()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Disk[40] = -1;
        pair.Stop(pair.A, "dirty");
        Start(pair, repairs: true);
        Assert.Equal(Limits.CopyBlocks, pair.A.Replica.DirtyBlocks);
        Assert.Equal(-1, pair.B.Disk[40]);
        pair.Stop(pair.B, "flush");
        pair.Go(pair.A, "dirty");
        Assert.Equal(0, pair.B.Disk[40]);
        Assert.Equal(Limits.CopyBlocks, pair.A.Replica.DirtyBlocks);
        ManualRequest write = pair.A.Write(41, 12);
        Assert.Null(write.Result);
        pair.Go(pair.B, "flush");
        Assert.Equal(0, pair.A.Replica.DirtyBlocks);
        Assert.Equal(0, write.Result);
        Assert.Equal((12, 12), (pair.A.Disk[41], pair.B.Disk[41]));
    }

    [Fact]
    public void A_repair_that_the_link_ends_is_in_the_sync_set()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Disk[40] = -1;
        pair.Stop(pair.B, "apply");
        Start(pair, repairs: true);
        pair.LinkDown();
        VerifyPicture picture = Ended(pair);
        Assert.Equal("the link was lost", picture.EndedEarly);
        Assert.Equal(Limits.CopyBlocks, pair.A.Replica.DirtyBlocks);
        pair.Go(pair.B, "apply");
        pair.B.Disk[40] = -1;
        pair.LinkUp();
        pair.Tick();
        Assert.Equal((0, LinkPhase.Joined), (pair.B.Disk[40], pair.A.Replica.Phase));
        Assert.Equal(0, pair.A.Write(40, 5).Result);
    }

    [Fact]
    public void The_end_of_the_link_ends_it_with_its_position()
    {
        ManualPair pair = ManualPair.Serving();
        Start(pair);
        int compared = pair.A.Compared.Count;
        pair.Stop(pair.B, "hash");
        Start(pair);
        Assert.Equal(compared + Limits.VerifyRangesWhenIdle, pair.A.Compared.Count);
        ManualRequest write = pair.A.Write(1, 11);
        Assert.Null(write.Result);
        pair.LinkDown();
        Assert.Contains("up to 0 of volume 0", Assert.Single(
            pair.A.Events, e => e.StartsWith("verify-ended", StringComparison.Ordinal)));
        pair.LinkUp();

        // Before a handshake nothing is under way on any disk.
        Assert.Null(write.Result);
        pair.Go(pair.B, "hash");
        Assert.Equal(0, write.Result);
        Assert.Equal("the link was lost", Ended(pair).EndedEarly);
        Start(pair);
        Assert.True(Ended(pair).IsClean);
    }

    [Fact]
    public void A_hand_over_ends_it_and_waits_for_a_repair_that_is_sent()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Disk[40] = -1;
        pair.Stop(pair.B, "apply");
        Start(pair, repairs: true);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
        Assert.Equal("the role changes", pair.A.Replica.Verify!.EndedEarly);
        pair.Go(pair.B, "apply");
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Equal(0, pair.A.CopiesInUse);
        Assert.Equal(0, pair.B.Write(40, 7).Result);
        Assert.Equal((7, 7), (pair.A.Disk[40], pair.B.Disk[40]));
        Start(pair, at: pair.B);
        Assert.True(Ended(pair, pair.B).IsClean);
    }

    [Fact]
    public void Of_two_standbys_the_source_of_their_join_compares_and_wins()
    {
        var pair = new ManualPair();
        pair.LinkUp();
        ManualNode source = pair.A.Replica.LastDecision!.Value.SelfIs == Core.Handshake.HandshakePart.Source ? pair.A : pair.B;
        source.Peer.Disk[40] = -1;
        source.Peer.Replica.StartVerify(true, source.Peer.Answer);
        Assert.False(source.Peer.Answers[^1].Succeeded);
        Start(pair, repairs: true, at: source);
        Assert.Contains("nobody is Primary", source.Answers[^1].Message);
        Assert.Equal(0, source.Peer.Disk[40]);
        Assert.Equal(RangeBytes, source.Replica.Verify!.RepairedBytes);
    }

    [Fact]
    public void A_promotion_of_the_peer_waits_for_a_repair_that_is_sent()
    {
        var pair = new ManualPair();
        pair.LinkUp();
        ManualNode source = pair.A.Replica.LastDecision!.Value.SelfIs == Core.Handshake.HandshakePart.Source ? pair.A : pair.B;
        source.Peer.Disk[40] = -1;
        pair.Stop(source.Peer, "apply");
        Start(pair, repairs: true, at: source);
        source.Peer.Replica.Promote(false, source.Peer.Answer);
        pair.Run();
        Assert.Equal(Role.Standby, source.Peer.Replica.Role);
        pair.Go(source.Peer, "apply");
        Assert.Equal(Role.Primary, source.Peer.Replica.Role);
        Assert.Equal($"{(source == pair.A ? "n2" : "n1")} is being promoted", source.Replica.Verify!.EndedEarly);
    }

    [Fact]
    public void It_is_refused_where_it_can_not_be_and_says_where_it_can()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Replica.StartVerify(false, pair.B.Answer);
        Assert.Equal((false, "n1 is Primary and compares"), pair.B.Answers[^1]);
        Assert.Equal("mirrorctl verify r --node n1", pair.B.Replica.RefusalOfVerify()!.Value.Remedy);
        pair.Stop(pair.B, "hash");
        Start(pair);
        pair.A.Replica.StartVerify(false, pair.A.Answer);
        Assert.False(pair.A.Answers[^1].Succeeded);
        pair.A.Replica.StopVerify(pair.A.Answer);
        Assert.Equal("stopped by command", Ended(pair).EndedEarly);
        pair.Go(pair.B, "hash");
        pair.LinkDown();
        pair.A.Replica.StartVerify(false, pair.A.Answer);
        Assert.Equal((false, "n2 is not joined: Down"), pair.A.Answers[^1]);
    }

    [Fact]
    public void Stopped_while_a_range_waits_for_a_write_it_leaves_those_behind_it_their_turn()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "apply");
        ManualRequest first = pair.A.Write(1, 11);
        Start(pair);
        ManualRequest behind = pair.A.Write(2, 12);
        int compared = pair.A.Compared.Count;
        pair.A.Replica.StopVerify(pair.A.Answer);
        Assert.Equal("stopped by command", Ended(pair).EndedEarly);
        pair.Go(pair.B, "apply");
        Assert.Equal((0, 0), (first.Result, behind.Result));
        Assert.Equal((11, 12), (pair.B.Disk[1], pair.B.Disk[2]));
        Assert.Equal(compared, pair.A.Compared.Count);
        Start(pair);
        Assert.True(Ended(pair).IsClean);
        Assert.Equal(0, pair.A.Write(1, 13).Result);
    }

    [Fact]
    public void A_disk_that_is_lost_ends_it()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "hash");
        Start(pair);
        pair.A.FailsWrites = true;
        pair.A.Write(5000, 1);
        Assert.Equal("the disk is out of use", pair.A.Replica.Verify!.EndedEarly);
        Assert.Equal(WritePath.Remote, pair.A.Replica.Path);
        pair.Go(pair.B, "hash");
        pair.A.Replica.StartVerify(false, pair.A.Answer);
        Assert.Equal((false, "there is one copy only"), pair.A.Answers[^1]);
        Assert.Equal(0, pair.A.CopiesInUse);
    }

    [Fact]
    public void It_keeps_to_its_rate_and_takes_a_quarter_of_it_while_clients_are_busy()
    {
        ManualPair pair = ManualPair.Serving(adjust: s => s with { VerifyBytesPerSecond = 80 * RangeBytes });
        Start(pair);
        int burst = Count(pair, VerifyOutcome.Same);
        Assert.InRange(burst, 15, 18);
        for (int tick = 0; tick < 10; tick++)
        {
            pair.Tick(100_000_000);
        }

        Assert.InRange(Count(pair, VerifyOutcome.Same) - burst, 75, 85);
        pair.A.Write(1, 1);
        pair.Tick(100_000_000);
        int before = Count(pair, VerifyOutcome.Same);
        for (int tick = 0; tick < 10; tick++)
        {
            pair.A.Write(tick, tick);
            pair.Tick(100_000_000);
        }

        Assert.InRange(Count(pair, VerifyOutcome.Same) - before, 15, 25);
    }
}
