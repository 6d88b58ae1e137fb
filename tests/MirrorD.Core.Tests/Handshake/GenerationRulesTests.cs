using MirrorD.Core.Handshake;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Handshake;

public class GenerationRulesTests
{
    private static readonly BootId Boot = new(new Guid("000000b0-0000-0000-0000-000000000000"));

    private static readonly Superblock Sample = new()
    {
        ResourceId = Guid.Empty,
        VolumeIndex = 0,
        ResourceName = "mail",
        VolumeName = "spool",
        Node = new(new Guid("0000000a-0000-0000-0000-000000000000")),
        DataBytes = 8192,
        Sequence = 5,
        Current = new(1),
        Session = new(100),
        DiskState = DiskState.UpToDate,
    };

    [Fact]
    public void A_new_generation_keeps_where_it_came_from()
    {
        Superblock once = GenerationRules.StartNew(Sample, new(2));
        Assert.Equal((new Generation(2), new Generation(1)), (once.Current, once.Bitmap));
        Assert.Empty(once.History);
        Assert.True(GenerationRules.HoldsOwnGeneration(once));

        Superblock twice = GenerationRules.StartNew(once with { PeerMayHaveCurrent = true }, new(3));
        Assert.Equal((new Generation(3), new Generation(2)), (twice.Current, twice.Bitmap));
        Assert.Equal(Facts.Generations(1), twice.History);
        Assert.False(twice.PeerMayHaveCurrent);
    }

    [Fact]
    public void A_generation_that_the_peer_may_have_does_not_count_as_own()
    {
        Superblock superblock = Sample with { Bitmap = new(9), PeerMayHaveCurrent = true };
        Assert.False(GenerationRules.HoldsOwnGeneration(superblock));
        Assert.False(GenerationRules.HoldsOwnGeneration(Sample));
    }

    [Fact]
    public void A_new_generation_is_a_new_identifier()
    {
        Assert.Throws<InvariantViolation>(() => GenerationRules.StartNew(Sample, default));
        Assert.Throws<InvariantViolation>(() => GenerationRules.StartNew(Sample, Sample.Current));
    }

    [Fact]
    public void The_history_keeps_the_32_newest_each_once()
    {
        Superblock superblock = Sample;
        for (ulong i = 2; i <= 60; i++)
        {
            superblock = GenerationRules.StartNew(superblock, new(i));
        }

        Assert.Equal(Enumerable.Range(0, 32).Select(i => new Generation(58UL - (ulong)i)),
            superblock.History);
        Assert.Null(SuperblockCodec.FirstFieldOutOfRange(superblock));
    }

    [Fact]
    public void Promotions_rise_above_both_and_are_levelled_on_connect()
    {
        Assert.Equal(8UL, GenerationRules.RaisePromotions(Sample with { Promotions = 3 }, 7).Promotions);
        Assert.Equal(4UL, GenerationRules.RaisePromotions(Sample with { Promotions = 3 }, 0).Promotions);
        Assert.Equal(7UL, GenerationRules.LevelPromotions(Sample with { Promotions = 3 }, 7).Promotions);
        Assert.Equal(3UL, GenerationRules.LevelPromotions(Sample with { Promotions = 3 }, 1).Promotions);
    }

    [Fact]
    public void A_proof_counts_in_its_own_session_only()
    {
        Superblock proven = Sample with { Proof = new(ProofKind.ArbiterGrant, new(100)) };
        Assert.True(GenerationRules.HasValidProof(proven));
        Assert.False(GenerationRules.HasValidProof(proven with { Session = new(101) }));
        Assert.True(GenerationRules.HasValidProof(Sample with { PeerExcluded = true }));
        Assert.False(GenerationRules.HasValidProof(Sample));
        Assert.False(GenerationRules.HasValidProof(Sample with { Session = default }));
    }

    [Fact]
    public void The_target_says_what_it_is_and_gives_up_its_proofs()
    {
        Superblock target = Sample with
        {
            Proof = new(ProofKind.ArbiterGrant, new(100)),
            PeerExcluded = true,
        };
        Superblock nothing = GenerationRules.BecomeTarget(target, HandshakeAction.NoSync, Facts.B);
        Assert.Equal(DiskState.Outdated, nothing.DiskState);
        Assert.False(GenerationRules.HasValidProof(nothing));
        Assert.True(nothing.ResyncFrom.IsNone);

        Superblock some = GenerationRules.BecomeTarget(target, HandshakeAction.BitmapSync, Facts.B);
        Assert.Equal((DiskState.Inconsistent, Facts.B.Current, false),
            (some.DiskState, some.ResyncFrom, some.FullSyncNeeded));
        Assert.True(GenerationRules.BecomeTarget(target, HandshakeAction.FullSync, Facts.B).FullSyncNeeded);
        Assert.Throws<InvariantViolation>(
            () => GenerationRules.BecomeTarget(some, HandshakeAction.NoSync, Facts.B));
        Assert.Throws<InvariantViolation>(
            () => GenerationRules.BecomeTarget(target, HandshakeAction.Operator, Facts.B));
    }

    [Fact]
    public void The_source_commits_to_the_new_session_before_the_target_adopts_it()
    {
        Superblock source = GenerationRules.ExcludePeer(Sample, DiskState.Inconsistent) with
        {
            Bitmap = new(7),
            Proof = new(ProofKind.OperatorOverride, new(100)),
            JustCreated = true,
        };
        Assert.True(GenerationRules.HasValidProof(source));
        Superblock committed = GenerationRules.CommitSource(source, new(101), Facts.B.Node, Boot.Value);
        Assert.False(GenerationRules.HasValidProof(committed));
        Assert.False(GenerationRules.HoldsOwnGeneration(committed));
        Assert.Equal(new Generation(7), committed.Bitmap);
        Assert.Equal((new SessionId(101), true, false, Facts.B.Node, Boot.Value),
            (committed.Session, committed.PeerMayHaveCurrent, committed.JustCreated, committed.Peer,
                committed.ResourceId));
        Assert.Equal(Boot.Value,
            GenerationRules.CommitSource(committed, new(102), Facts.B.Node, Guid.NewGuid()).ResourceId);
        Assert.Throws<InvariantViolation>(
            () => GenerationRules.CommitSource(committed, new(101), Facts.B.Node, default));
    }

    [Fact]
    public void The_target_takes_over_generation_session_and_history()
    {
        Superblock target = Sample with
        {
            Current = new(4),
            Bitmap = new(3),
            History = Facts.Generations(2, 9),
            DiskState = DiskState.Inconsistent,
            FullSyncNeeded = true,
            JustCreated = true,
            WasPrimary = true,
            ResyncFrom = new(8),
            Promotions = 6,
            PeerSequence = 50,
        };
        var commit = new JoinCommit(
            Facts.B.Node, Boot, new Guid(1, 0, 0, new byte[8]), new(101), new(8), Facts.Generations(4, 7), 5);
        Superblock adopted = GenerationRules.AdoptFromSource(target, commit, sourceSequence: 40, keepsRole: false);
        Assert.Equal(Facts.Generations(4, 3, 7, 2, 9), adopted.History);
        Assert.Equal(
            target with
            {
                ResourceId = commit.ResourceId,
                Peer = commit.Source,
                PeerBoot = Boot,
                PeerDiskState = DiskState.UpToDate,
                Session = new(101),
                Current = new(8),
                Bitmap = default,
                History = adopted.History,
                DiskState = DiskState.UpToDate,
                FullSyncNeeded = false,
                JustCreated = false,
                WasPrimary = false,
                ResyncFrom = default,
            },
            adopted);
        Superblock resuming = GenerationRules.AdoptFromSource(target, commit, 90, keepsRole: true);
        Assert.Equal((90UL, true), (resuming.PeerSequence, resuming.WasPrimary));
        Assert.False(GenerationRules.AdoptFromSource(target with { WasPrimary = false }, commit, 90, true).WasPrimary);
    }

    [Fact]
    public void The_source_finishes_with_the_bitmap_generation_in_its_history()
    {
        Superblock source = Sample with
        {
            Bitmap = new(7),
            History = Facts.Generations(6),
            PeerMayHaveCurrent = true,
            WasPrimary = true,
            DiskState = DiskState.Outdated,
        };
        Superblock finished = GenerationRules.FinishSource(source, keepsRole: true, Boot, 30);
        Assert.Equal(Facts.Generations(7, 6), finished.History);
        Assert.Equal((true, false, true, DiskState.UpToDate, DiskState.UpToDate, Boot, 30UL),
            (finished.Bitmap.IsNone, finished.PeerMayHaveCurrent, finished.WasPrimary, finished.DiskState,
                finished.PeerDiskState, finished.PeerBoot, finished.PeerSequence));
        Assert.False(GenerationRules.FinishSource(source, keepsRole: false, Boot, 30).WasPrimary);
    }

    /// <summary>
    /// Every place where a join can break, met again: the direction stays what the first decision was.
    /// </summary>
    [Fact]
    public void A_join_that_breaks_after_any_step_is_taken_up_in_the_same_direction()
    {
        Superblock source = GenerationRules.StartNew(Sample, new(2));
        Superblock target = Sample with { Node = Facts.B.Node };
        Assert.Equal((HandshakeCase.SelfAhead, HandshakeAction.BitmapSync), Meet(source, target, set: 4));

        target = GenerationRules.BecomeTarget(target, HandshakeAction.BitmapSync, Of(source, 4));
        Assert.Equal((HandshakeCase.SelfAhead, HandshakeAction.BitmapSync), Meet(source, target, set: 4));

        source = GenerationRules.ExcludePeer(source, DiskState.Inconsistent);
        Assert.Equal((HandshakeCase.SelfAhead, HandshakeAction.BitmapSync), Meet(source, target, set: 0));

        source = GenerationRules.CommitSource(source, new(101), target.Node, Boot.Value);
        Assert.Equal((HandshakeCase.SelfAhead, HandshakeAction.BitmapSync), Meet(source, target, set: 0));

        target = GenerationRules.AdoptFromSource(target, JoinCommit.Of(source, Boot), source.Sequence, keepsRole: false);
        Assert.Equal((HandshakeCase.SameBitmap, HandshakeAction.NoSync), Meet(source, target, set: 0));

        source = GenerationRules.FinishSource(source, keepsRole: false, Boot, target.Sequence);
        Assert.Equal((HandshakeCase.Same, HandshakeAction.NoSync), Meet(source, target, set: 0));
    }

    private static HandshakeFacts Of(Superblock superblock, long set) => HandshakeFacts.Of(
        [superblock], superblock.Node == Facts.B.Node ? Facts.B.Boot : Facts.A.Boot, false, set);

    private static (HandshakeCase, HandshakeAction) Meet(Superblock source, Superblock target, long set)
    {
        HandshakeDecision decision = Facts.Decide(Of(source, set), Of(target, 0));
        Assert.Equal(HandshakePart.Source, decision.SelfIs);
        return (decision.Case, decision.Action);
    }
}
