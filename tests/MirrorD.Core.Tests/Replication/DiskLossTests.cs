using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A Primary that loses its disk goes on through its peer; a Standby that does lets its Primary go on alone.</summary>
public class DiskLossTests
{
    /// <summary>A pair whose Primary A went on through B in the middle of a write.</summary>
    private static ManualPair Diskless(bool hasArbiter = false)
    {
        ManualPair pair = ManualPair.Serving(hasArbiter);
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.A.FailsWrites = true;
        Assert.Equal(0, pair.A.Write(2, 2).Result);
        Assert.Equal(WritePath.Remote, pair.A.Replica.Path);
        return pair;
    }

    [Fact]
    public void A_write_that_the_disk_refuses_is_completed_by_the_peer_alone()
    {
        ManualPair pair = Diskless();
        Assert.Equal(DiskState.Failed, pair.A.Replica.DiskState);
        Assert.Null(pair.A.Replica.Failure);
        Assert.Equal("Diskless", pair.A.Replica.DescribeHoldUp()?.Name);
        Assert.Equal(2, pair.B.Disk[2]);
        Assert.Equal(0, pair.A.Disk[2]);
    }

    [Fact]
    public void Reads_flushes_and_writes_go_on_through_the_peer()
    {
        ManualPair pair = Diskless();
        Assert.Equal(0, pair.A.Write(3, 3).Result);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 3);
        ManualRequest flush = pair.A.Submit(VolumeOperation.Flush);
        pair.Run();
        Assert.Equal((0, 3), (read.Result, read.Stamp));
        Assert.Equal(0, flush.Result);
    }

    [Fact]
    public void Before_anything_completes_the_lost_copy_is_stored_as_none_and_the_other_one_is_entitled_and_marked()
    {
        ManualPair pair = ManualPair.Serving();
        Generation before = pair.B.Replica.State.Current;
        pair.Stop(pair.A, "superblock");
        pair.A.FailsWrites = true;
        ManualRequest write = pair.A.Write(2, 2);
        Assert.Null(write.Result);
        Assert.Equal(ProofKind.None, pair.B.Stored[0].Proof.Kind);

        pair.Stop(pair.B, "superblock");
        pair.Go(pair.A, "superblock");
        Assert.Equal(DiskState.Inconsistent, pair.A.Stored[0].DiskState);
        Assert.Null(write.Result);

        pair.Go(pair.B, "superblock");
        Assert.Equal(0, write.Result);
        Assert.Equal(ProofKind.PeerOutdated, pair.B.Stored[0].Proof.Kind);
        Assert.Equal(before, pair.B.Stored[0].Bitmap);
        Assert.NotEqual(before, pair.B.Stored[0].Current);
    }

    [Fact]
    public void The_keeper_applies_nothing_before_its_log_is_durable()
    {
        ManualPair pair = Diskless();
        pair.Stop(pair.B, "log");
        ManualRequest write = pair.A.Write(5000, 5);
        Assert.Equal(0, pair.B.Disk[5000]);
        Assert.Null(write.Result);
        pair.Go(pair.B, "log");
        Assert.Equal(0, write.Result);
        Assert.True(pair.B.Replica.Map(0).IsDirty(5000));
    }

    [Fact]
    public void What_waits_for_the_keepers_log_when_the_link_is_lost_leaves_nothing_behind()
    {
        ManualPair pair = Diskless();
        pair.Stop(pair.B, "log");
        ManualRequest write = pair.A.Write(5000, 5);
        pair.LinkDown();
        pair.Go(pair.B, "log");
        Assert.Null(write.Result);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Run();
        Assert.Equal(0, pair.B.Write(5001, 6).Result);
        pair.B.Replica.Demote(pair.B.Answer);
        pair.Run();
        Assert.True(pair.B.Answers[^1].Succeeded);
        Assert.Equal(0, pair.B.Disk[5000]);
    }

    [Fact]
    public void What_the_lost_disk_still_answers_reaches_no_client()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.A, "read");
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 1);
        pair.A.FailsWrites = true;
        Assert.Equal(0, pair.A.Write(1, 12).Result);
        pair.Go(pair.A, "read");
        Assert.Equal((0, 12), (read.Result, read.Stamp));
    }

    [Fact]
    public void Without_a_store_of_the_loss_the_arbiter_has_to_grant_the_session_to_the_peer()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.A.FailsWrites = pair.A.FailsStores = true;
        ManualRequest write = pair.A.Write(2, 2);
        Assert.Null(write.Result);
        Assert.Equal("FrozenNoArbiter", pair.A.Replica.DescribeHoldUp()?.Name);
        SessionId session = Assert.Single(pair.B.Claims);

        pair.B.Replica.ArbiterAnswered(session, ClaimAnswer.Unreachable);
        pair.Tick();
        Assert.Null(write.Result);
        Assert.Equal(2, pair.B.Claims.Count);

        pair.B.Replica.ArbiterAnswered(session, ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(0, write.Result);
        Assert.Equal(ProofKind.ArbiterGrant, pair.B.Stored[0].Proof.Kind);
    }

    [Fact]
    public void Without_a_store_of_the_loss_and_without_arbiter_nothing_is_served_any_more()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.FailsWrites = pair.A.FailsStores = true;
        ManualRequest write = pair.A.Write(2, 2);
        Assert.Equal(5, write.Result);
        Assert.NotNull(pair.A.Replica.Failure);
        Assert.False(pair.B.Replica.HasProof);
    }

    [Fact]
    public void A_lost_link_freezes_a_primary_without_disk_and_its_return_lets_it_go_on()
    {
        ManualPair pair = Diskless();
        pair.LinkDown();
        ManualRequest write = pair.A.Write(3, 3);
        ManualRequest read = pair.A.Submit(VolumeOperation.Read, 2);
        pair.Tick();
        Assert.Null(write.Result);
        Assert.Null(read.Result);
        Assert.Contains(pair.A.Events, e => e.StartsWith("addresses False", StringComparison.Ordinal));
        Assert.Equal("FrozenNoDisk", pair.A.Replica.DescribeHoldUp()?.Name);

        pair.LinkUp();
        Assert.Equal(HandshakeCase.DisklessPrimary, pair.A.Replica.LastDecision?.Case);
        Assert.Equal(0, write.Result);
        Assert.Equal((0, 2), (read.Result, read.Stamp));
        Assert.Equal(3, pair.B.Disk[3]);
        Assert.True(pair.B.Replica.Map(0).IsDirty(3));
    }

    [Fact]
    public void A_frozen_primary_without_disk_can_not_be_forced_and_says_where_the_copy_is()
    {
        ManualPair pair = Diskless();
        pair.LinkDown();
        pair.A.Replica.Promote(true, pair.A.Answer);
        pair.Run();
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Contains("n2", pair.A.Replica.RefusalOfPromotion(force: true)?.Message, StringComparison.Ordinal);
        pair.LinkUp();
        Assert.Equal(0, pair.A.Write(3, 3).Result);
        Assert.Null(pair.A.Replica.RefusalOfPromotion(force: true));
    }

    [Fact]
    public void A_restarted_keeper_lets_its_primary_go_on()
    {
        ManualPair pair = Diskless();
        pair.LinkDown();
        pair.B.Crash(new Random(1), powerCut: false);
        ManualRequest write = pair.A.Write(3, 3);
        pair.LinkUp();
        Assert.Equal(0, write.Result);
        Assert.True(pair.B.Replica.Map(0).IsDirty(2));
        Assert.True(pair.B.Replica.Map(0).IsDirty(3));
    }

    [Fact]
    public void A_keeper_that_lost_power_may_have_lost_writes_so_the_primary_without_disk_loses_its_right()
    {
        ManualPair pair = Diskless();
        pair.LinkDown();
        pair.B.Crash(new Random(1), powerCut: true);
        ManualRequest write = pair.A.Write(3, 3);
        pair.LinkUp();
        Assert.Equal(5, write.Result);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.NotNull(pair.A.Replica.Failure);
    }

    [Fact]
    public void A_keeper_that_was_promoted_is_never_written_to_by_its_old_primary()
    {
        ManualPair pair = Diskless();
        pair.LinkDown();
        ManualRequest held = pair.A.Write(3, 3);
        pair.B.Replica.Promote(false, pair.B.Answer);
        pair.Run();
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Empty(pair.B.Claims);
        Assert.Equal(0, pair.B.Write(3, 33).Result);
        pair.B.Replica.Demote(pair.B.Answer);
        pair.Run();
        Assert.Equal(Role.Standby, pair.B.Replica.Role);

        pair.LinkUp();
        Assert.Equal(5, held.Result);
        Assert.Equal(33, pair.B.Disk[3]);
    }

    [Fact]
    public void A_switchover_gives_the_role_to_the_node_with_the_disk_without_loss()
    {
        ManualPair pair = Diskless();
        Assert.Equal(0, pair.A.Write(3, 3).Result);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
        Assert.Equal(Role.Standby, pair.A.Replica.Role);
        Assert.NotNull(pair.A.Replica.Failure);
        Assert.Equal(Role.Primary, pair.B.Replica.Role);
        Assert.Equal(WritePath.Alone, pair.B.Replica.Path);
        Assert.Equal(0, pair.B.Write(4, 4).Result);

        // The disk, or its daemon, comes back: what it lacks is copied, and no more.
        pair.A.FailsWrites = false;
        pair.A.Crash(new Random(1), powerCut: false);
        pair.LinkUp();
        Assert.Equal(HandshakeCase.PeerAhead, pair.A.Replica.LastDecision?.Case);
        Assert.Equal(HandshakeAction.BitmapSync, pair.A.Replica.LastDecision?.Action);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(pair.B.Disk, pair.A.Disk);
    }

    [Fact]
    public void A_primary_that_hands_over_takes_up_nothing_when_the_peer_has_noted_the_loss_meanwhile()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.B, "superblock");
        pair.Stop(pair.B, "flush");
        pair.A.FailsWrites = true;
        pair.A.Write(2, 2);
        ManualRequest held = pair.A.Write(3, 3);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.Run();
        pair.Go(pair.B, "superblock");
        Assert.Equal(DiskState.Failed, pair.B.Replica.State.PeerDiskState);
        Assert.Equal(0, pair.B.Disk[3]);
        pair.Go(pair.B, "flush");
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
        Assert.Equal((5, 0), (held.Result, pair.B.Disk[3]));
        Assert.Equal(WritePath.Alone, pair.B.Replica.Path);
    }

    [Fact]
    public void A_copy_whose_loss_could_not_be_stored_is_the_target_when_it_comes_back()
    {
        ManualPair pair = ManualPair.Serving(hasArbiter: true);
        pair.A.FailsWrites = pair.A.FailsStores = true;
        pair.A.Write(2, 2);
        pair.B.Replica.ArbiterAnswered(pair.B.Claims[0], ClaimAnswer.Granted);
        pair.Run();
        Assert.Equal(DiskState.UpToDate, pair.A.Stored[0].DiskState);
        pair.LinkDown();
        pair.A.FailsWrites = pair.A.FailsStores = false;
        pair.A.Crash(new Random(1), powerCut: true);
        pair.Tick();
        pair.A.Replica.Promote(false, pair.A.Answer);
        pair.Run();
        pair.A.Replica.ArbiterAnswered(pair.A.Claims[^1], ClaimAnswer.Refused);
        pair.Run();
        Assert.Equal(Role.Standby, pair.A.Replica.Role);

        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(2, pair.A.Disk[2]);
        Assert.Equal(pair.B.Disk, pair.A.Disk);
    }

    [Fact]
    public void A_standby_whose_disk_fails_says_so_and_its_primary_goes_on_without_asking_anybody()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.FailsWrites = true;
        ManualRequest write = pair.A.Write(2, 2);
        Assert.Equal(0, write.Result);
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
        Assert.Equal(ProofKind.PeerOutdated, pair.A.Stored[0].Proof.Kind);
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        pair.B.Replica.Promote(false, pair.B.Answer);
        Assert.False(pair.B.Answers[^1].Succeeded);
    }

    [Fact]
    public void The_word_of_a_standby_that_could_not_store_its_loss_is_no_proof()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.FailsWrites = pair.B.FailsStores = true;
        ManualRequest write = pair.A.Write(2, 2);
        pair.Tick();
        Assert.Null(write.Result);
        Assert.False(pair.A.Replica.HasProof);
    }

    [Fact]
    public void A_primary_does_not_wait_for_long_for_the_last_word_of_a_standby_whose_disk_failed()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.Stop(pair.B, "superblock");
        pair.B.FailsWrites = true;
        ManualRequest write = pair.A.Write(2, 2);
        pair.Tick();
        Assert.Null(write.Result);
        pair.Tick();
        pair.Tick();
        Assert.Equal(0, write.Result);
    }

    [Fact]
    public void A_detached_primary_goes_on_through_its_peer_and_its_copy_is_an_old_whole_one()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.A.Replica.Detach(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
        Assert.Equal(DiskState.Outdated, pair.A.Stored[0].DiskState);
        Assert.Equal(DiskState.Diskless, pair.A.Replica.DiskState);
        Assert.Equal(0, pair.A.Write(2, 2).Result);
        Assert.Equal(0, pair.A.Disk[2]);
        Assert.NotNull(pair.A.Replica.RefusalOfAttach());
    }

    [Fact]
    public void A_detached_standby_lets_its_primary_go_on_at_once()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Replica.Detach(pair.B.Answer);
        pair.Run();
        Assert.True(pair.B.Answers[^1].Succeeded);
        Assert.Equal(DiskState.Outdated, pair.B.Stored[0].DiskState);
        Assert.Equal(0, pair.A.Write(2, 2).Result);
        Assert.Null(pair.B.Replica.RefusalOfAttach());
    }

    [Fact]
    public void The_only_copy_can_not_be_detached()
    {
        ManualPair pair = Diskless();
        pair.B.Replica.Detach(pair.B.Answer);
        Assert.False(pair.B.Answers[^1].Succeeded);
        pair.LinkDown();
        pair.B.Replica.Detach(pair.B.Answer);
        Assert.False(pair.B.Answers[^1].Succeeded);
    }
}
