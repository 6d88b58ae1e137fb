using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using static MirrorD.Core.Handshake.HandshakeAction;
using static MirrorD.Core.Handshake.HandshakePart;

namespace MirrorD.Core.Tests.Handshake;

/// <summary>One situation per row and rule, told as it comes about.</summary>
public class HandshakeTableTests
{
    private static readonly HandshakeFacts A = Facts.A;
    private static readonly HandshakeFacts B = Facts.B;

    [Fact]
    public void Two_sides_that_parted_in_order_have_nothing_to_sync() =>
        Expect(A, B, HandshakeCase.Same, NoSync, Source);

    [Fact]
    public void Of_two_equal_copies_the_one_that_is_UpToDate_takes_the_part_of_the_source() =>
        Expect(A with { DiskState = DiskState.Outdated }, B, HandshakeCase.Same, NoSync, Target);

    [Fact]
    public void Two_Outdated_copies_with_nothing_to_sync_join() =>
        Expect(A with { DiskState = DiskState.Outdated }, B with { DiskState = DiskState.Outdated },
            HandshakeCase.Same, NoSync, Source);

    [Fact]
    public void A_side_that_went_on_alone_is_source_for_what_changed() =>
        Expect(A with { Current = new(2), Bitmap = new(1), SyncSetBlocks = 5 }, B,
            HandshakeCase.SelfAhead, BitmapSync, Source);

    [Fact]
    public void A_side_that_went_on_alone_twice_is_source_for_everything() =>
        Expect(A with { Current = new(3), Bitmap = new(2), History = Facts.Generations(1) }, B,
            HandshakeCase.SelfFarAhead, FullSync, Source);

    [Fact]
    public void Both_went_on_from_the_same_generation() =>
        Expect(A with { Current = new(2), Bitmap = new(1) }, B with { Current = new(3), Bitmap = new(1) },
            HandshakeCase.SplitBrainKnownBase, HandshakeAction.SplitBrain, None);

    [Fact]
    public void Both_went_on_from_some_common_past() =>
        Expect(
            A with { Current = new(2), Bitmap = new(4), History = Facts.Generations(1) },
            B with { Current = new(3), Bitmap = new(1) },
            HandshakeCase.SplitBrain, HandshakeAction.SplitBrain, None);

    [Fact]
    public void Each_is_the_others_bitmap_generation() =>
        Expect(A with { Current = new(2), Bitmap = new(3) }, B with { Current = new(3), Bitmap = new(2) },
            HandshakeCase.SplitBrain, HandshakeAction.SplitBrain, None);

    [Fact]
    public void Disks_of_different_resources_do_not_connect() =>
        Expect(A, B with { Current = new(9), History = Facts.Generations(8) },
            HandshakeCase.Unrelated, Refuse, None);

    [Fact]
    public void No_generation_matches_none() =>
        Expect(A with { Current = default }, B with { Current = default },
            HandshakeCase.Unrelated, Refuse, None);

    [Fact]
    public void An_unfinished_target_takes_up_its_resync_even_with_an_empty_set() =>
        Expect(A, B with { DiskState = DiskState.Inconsistent },
            HandshakeCase.SameInconsistent, BitmapSync, Source);

    [Fact]
    public void Two_unfinished_targets_need_the_operator() =>
        Expect(A with { DiskState = DiskState.Inconsistent }, B with { DiskState = DiskState.Inconsistent },
            HandshakeCase.SameInconsistent, Operator, None);

    [Fact]
    public void A_primary_that_comes_back_to_its_standby_is_source() =>
        Expect(A, B with { IsPrimary = true, WasPrimary = true, SyncSetBlocks = 1 },
            HandshakeCase.SamePrimary, BitmapSync, Target);

    [Fact]
    public void More_promotions_are_source() =>
        Expect(A with { Promotions = 2, SyncSetBlocks = 1 }, B with { Promotions = 3, WasPrimary = true },
            HandshakeCase.SamePromotions, BitmapSync, Target);

    [Fact]
    public void The_standby_of_a_crashed_primary_is_source_if_its_host_ran_on() =>
        Expect(A with { WasPrimary = true, SyncSetBlocks = 3 }, B,
            HandshakeCase.SameCrashed, BitmapSync, Target);

    [Fact]
    public void A_crashed_primary_is_source_for_a_standby_whose_host_started_again() =>
        Expect(A with { WasPrimary = true, SyncSetBlocks = 3 }, B with { Boot = new(Guid.NewGuid()) },
            HandshakeCase.SameCrashed, BitmapSync, Source);

    [Fact]
    public void A_crashed_primary_is_source_when_replication_is_not_synchronous() =>
        Expect(A with { WasPrimary = true, SyncSetBlocks = 3 }, B with { WasAhead = true },
            HandshakeCase.SameCrashed, BitmapSync, Source);

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_crashed_primary_is_source_in_modes_memory_and_async(ReplicationMode mode) =>
        Expect(A with { WasPrimary = true, SyncSetBlocks = 3, Mode = mode }, B with { Mode = mode },
            HandshakeCase.SameCrashed, BitmapSync, Source);

    [Theory]
    [InlineData(ReplicationMode.Sync, ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Memory, ReplicationMode.Async)]
    [InlineData(ReplicationMode.Async, ReplicationMode.Sync)]
    public void Different_modes_are_refused(ReplicationMode a, ReplicationMode b) =>
        Expect(A with { Mode = a }, B with { Mode = b, JustCreated = true }, HandshakeCase.ModesDiffer, Refuse, None);

    [Fact]
    public void A_join_that_broke_before_its_last_step_is_finished_from_the_side_with_a_bitmap_generation() =>
        Expect(A, B with { Bitmap = new(7) }, HandshakeCase.SameBitmap, NoSync, Target);

    [Fact]
    public void A_side_with_dirty_blocks_is_source() =>
        Expect(A, B with { SyncSetBlocks = 1 }, HandshakeCase.SameDirty, BitmapSync, Target);

    [Fact]
    public void Dirty_blocks_on_both_sides_and_no_other_sign_need_the_operator() =>
        Expect(A with { SyncSetBlocks = 1 }, B with { SyncSetBlocks = 1 },
            HandshakeCase.SameUndecided, Operator, None);

    [Fact]
    public void A_source_that_is_not_UpToDate_gives_way_to_one_that_is() =>
        Expect(A with { SyncSetBlocks = 1, DiskState = DiskState.Outdated }, B,
            HandshakeCase.SameDirty, BitmapSync, Target);

    [Theory]
    [InlineData(DiskState.Inconsistent, DiskState.Inconsistent)]
    [InlineData(DiskState.Inconsistent, DiskState.Outdated)]
    [InlineData(DiskState.Outdated, DiskState.UpToDate)]
    public void A_history_that_is_ahead_with_a_worse_copy_needs_the_operator(
        DiskState ahead, DiskState behind) =>
        Expect(A with { Current = new(2), Bitmap = new(1), DiskState = ahead }, B with { DiskState = behind },
            HandshakeCase.AheadNotUpToDate, Operator, None);

    [Fact]
    public void A_copy_whose_metadata_was_rolled_back_is_target_of_everything() =>
        Expect(A with { Volumes = [new(1 << 20, 9, 10)] }, B, HandshakeCase.RolledBack, FullSync, Target);

    [Fact]
    public void Any_volume_that_was_rolled_back_counts() =>
        Expect(
            A with { Volumes = [new(4096, 10, 10), new(4096, 10, 10)] },
            B with { Volumes = [new(4096, 10, 10), new(4096, 9, 10)] },
            HandshakeCase.RolledBack, FullSync, Source);

    [Fact]
    public void Two_rolled_back_copies_need_the_operator() =>
        Expect(A with { Volumes = [new(1 << 20, 9, 10)] }, B with { Volumes = [new(1 << 20, 9, 10)] },
            HandshakeCase.RolledBack, Operator, None);

    [Fact]
    public void A_copy_that_needs_everything_gets_everything_whatever_the_row()
    {
        Expect(A, B with { FullSyncNeeded = true, DiskState = DiskState.Outdated },
            HandshakeCase.SameFullSync, FullSync, Source);
        Expect(A with { Current = new(2), Bitmap = new(1) }, B with { FullSyncNeeded = true },
            HandshakeCase.SelfAhead, FullSync, Source);
    }

    [Fact]
    public void A_side_without_a_disk_a_different_size_or_the_same_id_does_not_connect()
    {
        Expect(A, B with { DiskState = DiskState.Failed }, HandshakeCase.NoDisk, Refuse, None);
        Expect(A, B with { Volumes = [new(4096, 10, 10)] }, HandshakeCase.SizesDiffer, Refuse, None);
        Expect(A, B with { Volumes = [.. B.Volumes, new(4096, 10, 10)] },
            HandshakeCase.SizesDiffer, Refuse, None);
        Expect(A, B with { Node = A.Node }, HandshakeCase.SameNode, Refuse, None);
    }

    [Fact]
    public void A_size_that_one_side_has_stored_is_made_up_for_where_the_other_has_room()
    {
        HandshakeFacts larger = B with { Volumes = [new(2 << 20, 10, 10)] };
        HandshakeFacts roomy = A with { Volumes = [new(1 << 20, 10, 10) { RoomBytes = 2 << 20 }] };
        Expect(roomy, larger, HandshakeCase.Same, BitmapSync, Source);
        Expect(roomy with { IsPrimary = true }, larger, HandshakeCase.SamePrimary, BitmapSync, Source);
        Expect(roomy, larger with { IsPrimary = true }, HandshakeCase.SamePrimary, BitmapSync, Target);
        Assert.Equal(2 << 20, new HandshakePair(roomy, larger).AgreedBytes(0));
        Expect(roomy with { Volumes = [new(1 << 20, 10, 10) { RoomBytes = (2 << 20) - 4096 }] }, larger,
            HandshakeCase.SizesDiffer, Refuse, None);
        Expect(roomy with { DiskState = DiskState.Diskless }, larger, HandshakeCase.SizesDiffer, Refuse, None);
    }

    [Fact]
    public void A_wanted_size_counts_only_where_both_have_room()
    {
        HandshakeFacts wants = A with { Volumes = [new(1 << 20, 10, 10) { RoomBytes = 3 << 20, WantedBytes = 2 << 20 }] };
        HandshakeFacts roomy = B with { Volumes = [new(1 << 20, 10, 10) { RoomBytes = 2 << 20 }] };
        Assert.Equal(2 << 20, new HandshakePair(wants, roomy).AgreedBytes(0));
        Assert.Equal(2 << 20, new HandshakePair(roomy, wants).AgreedBytes(0));
        Expect(wants, roomy, HandshakeCase.Same, BitmapSync, Source);
        Assert.Equal(1 << 20, new HandshakePair(wants, B).AgreedBytes(0));
        Expect(wants, B, HandshakeCase.Same, NoSync, Source);
    }

    [Fact]
    public void Volumes_that_disagree_are_a_split_brain_of_the_resource() =>
        Expect(A, B with { VolumesDisagree = true },
            HandshakeCase.VolumesDisagree, HandshakeAction.SplitBrain, None);

    [Theory]
    [InlineData(CreationSource.Self, CreationSource.Peer, FullSync, Source)]
    [InlineData(CreationSource.Self, CreationSource.Unnamed, FullSync, Source)]
    [InlineData(CreationSource.Peer, CreationSource.Self, FullSync, Target)]
    [InlineData(CreationSource.Empty, CreationSource.Empty, NoSync, Source)]
    [InlineData(CreationSource.Self, CreationSource.Self, Operator, None)]
    [InlineData(CreationSource.Peer, CreationSource.Peer, Operator, None)]
    [InlineData(CreationSource.Peer, CreationSource.Unnamed, Operator, None)]
    [InlineData(CreationSource.Unnamed, CreationSource.Unnamed, Operator, None)]
    [InlineData(CreationSource.Self, CreationSource.Empty, Operator, None)]
    [InlineData(CreationSource.Empty, CreationSource.Unnamed, Operator, None)]
    public void Two_new_copies_do_as_their_creation_said(
        CreationSource a, CreationSource b, HandshakeAction action, HandshakePart part) =>
        Expect(New(A, 5, a), New(B, 6, b), HandshakeCase.BothNew, action, part);

    [Fact]
    public void Of_two_empty_new_copies_the_one_that_was_written_to_is_source()
    {
        Expect(New(A, 5, CreationSource.Empty), New(B, 6, CreationSource.Empty) with { SyncSetBlocks = 2 },
            HandshakeCase.BothNew, BitmapSync, Target);
        Expect(New(A, 5, CreationSource.Empty) with { SyncSetBlocks = 1 },
            New(B, 6, CreationSource.Empty) with { SyncSetBlocks = 2 },
            HandshakeCase.BothNew, Operator, None);
        Expect(New(A, 5, CreationSource.Empty), New(B, 6, CreationSource.Empty) with { IsPrimary = true },
            HandshakeCase.BothNew, NoSync, Target);
    }

    [Fact]
    public void A_new_copy_gets_everything_from_the_old_one()
    {
        Expect(A with { DiskState = DiskState.Outdated }, New(B, 6, CreationSource.Empty),
            HandshakeCase.PeerNew, FullSync, Source);
        Expect(A with { DiskState = DiskState.Inconsistent }, New(B, 6, CreationSource.Peer),
            HandshakeCase.AheadNotUpToDate, Operator, None);
    }

    [Fact]
    public void A_new_copy_whose_own_data_was_named_is_not_overwritten_unasked() =>
        Expect(A, New(B, 6, CreationSource.Self), HandshakeCase.PeerNew, Operator, None);

    [Fact]
    public void A_primary_without_proof_that_would_be_target_demotes_first()
    {
        HandshakeFacts behind = A with { IsPrimary = true, WasPrimary = true, SyncSetBlocks = 1 };
        HandshakeFacts ahead = B with { Current = new(2), Bitmap = new(1) };
        Expect(behind, ahead, HandshakeCase.PrimaryWouldBeTarget, DemoteFirst, Target);
        Expect(behind with { IsPrimary = false }, ahead, HandshakeCase.PeerAhead, BitmapSync, Target);
        Expect(behind with { HasProof = true }, ahead, HandshakeCase.PrimaryWouldBeTarget, Operator, None);
    }

    [Fact]
    public void Of_two_primaries_the_one_without_proof_demotes_first()
    {
        HandshakeFacts a = A with { IsPrimary = true, WasPrimary = true, HasProof = true };
        HandshakeFacts b = B with { IsPrimary = true, WasPrimary = true };
        Expect(a, b, HandshakeCase.BothPrimary, DemoteFirst, Source);
        Expect(a, b with { HasProof = true }, HandshakeCase.BothPrimary, HandshakeAction.SplitBrain, None);
        Expect(a with { HasProof = false, Promotions = 1 }, b with { Promotions = 2 },
            HandshakeCase.BothPrimary, DemoteFirst, Target);
        Expect(a with { HasProof = false, SyncSetBlocks = 1 }, b with { SyncSetBlocks = 1 },
            HandshakeCase.BothPrimary, DemoteFirst, Source);
    }

    [Fact]
    public void A_decision_can_be_printed() =>
        Assert.Equal("Same, NoSync, this side is Source", Facts.Decide(A, B).ToString());

    [Fact]
    public void Nobody_demotes_for_a_peer_that_does_not_belong_here()
    {
        HandshakeFacts a = A with { IsPrimary = true };
        HandshakeFacts b = B with { IsPrimary = true, HasProof = true, Current = new(9) };
        Expect(a, b, HandshakeCase.Unrelated, Refuse, None);
        Expect(a with { Bitmap = new(3) }, b with { Bitmap = new(3) },
            HandshakeCase.SplitBrainKnownBase, HandshakeAction.SplitBrain, None);
    }

    private static HandshakeFacts New(HandshakeFacts side, ulong generation, CreationSource source) =>
        side with
        {
            Current = new(generation),
            JustCreated = true,
            CreationSource = source,
            DiskState = source is CreationSource.Self or CreationSource.Empty
            ? DiskState.UpToDate
            : DiskState.Inconsistent,
        };

    private static void Expect(
        HandshakeFacts a, HandshakeFacts b, HandshakeCase expected, HandshakeAction action,
        HandshakePart part) =>
        Assert.Equal(new HandshakeDecision(expected, action, part), Facts.Decide(a, b));
}
