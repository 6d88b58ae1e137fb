using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Resync;

public class FullSyncBaseTests
{
    private const long DataBytes = 1 << 20;
    private const long AllBlocks = DataBytes / 4096;

    private static readonly Superblock Source = Node(1) with
    {
        Current = new Generation(10),
        History = [new Generation(9)],
        DiskState = DiskState.UpToDate,
    };

    private static readonly Superblock Target = Node(2) with
    {
        Current = new Generation(20),
        History = [new Generation(19)],
        DiskState = DiskState.UpToDate,
        JustCreated = true,
    };

    [Fact]
    public void An_interrupted_full_sync_goes_on_as_a_bitmap_sync_in_the_same_direction()
    {
        Assert.Equal(HandshakeAction.FullSync, Decide(Source, Target, 0).Action);
        Superblock source = FullSyncBase.Count(Source, new Generation(11));
        Superblock target = FullSyncBase.Adopt(BecomeTarget(source), source.Bitmap);
        HandshakeDecision again = Decide(source, target, AllBlocks);
        Assert.Equal(HandshakeCase.SelfAhead, again.Case);
        Assert.Equal(HandshakeAction.BitmapSync, again.Action);
        Assert.Equal(again.Mirrored, Decide(target, source, 0, AllBlocks));
    }

    [Fact]
    public void A_full_sync_that_the_target_never_began_stays_a_full_sync()
    {
        Superblock source = FullSyncBase.Count(Source, new Generation(11));
        HandshakeDecision again = Decide(source, Target, AllBlocks);
        Assert.Equal(HandshakeAction.FullSync, again.Action);
        Assert.Equal(HandshakePart.Source, again.SelfIs);
    }

    [Fact]
    public void The_source_goes_on_counting_from_the_bitmap_generation_that_it_holds()
    {
        Superblock held = Source with { Bitmap = new Generation(8) };
        Assert.Equal(new Generation(8), FullSyncBase.Count(held, new Generation(11)).Bitmap);
    }

    [Fact]
    public void What_the_source_writes_before_the_target_began_is_in_a_generation_of_its_own()
    {
        // Same generation on both sides; the target needs everything; the link is lost before it stores J1.
        Superblock target = Source with { Node = Target.Node, FullSyncNeeded = true };
        Superblock source = FullSyncBase.Count(Source, new Generation(11));
        Assert.NotEqual(target.Current, source.Current);
        Assert.Equal(HandshakePart.Source, Decide(source, target, AllBlocks).SelfIs);
    }

    [Fact]
    public void A_second_interruption_changes_nothing()
    {
        Superblock source = FullSyncBase.Count(Source, new Generation(11));
        Assert.Equal(source, FullSyncBase.Count(source, new Generation(12)));
    }

    [Fact]
    public void The_old_history_of_the_target_proves_nothing_any_more()
    {
        Superblock target = FullSyncBase.Adopt(
            Target with { Bitmap = new Generation(18), FullSyncNeeded = true }, new Generation(11));
        Assert.Equal(new Generation(11), target.Current);
        Assert.True(target.Bitmap.IsNone);
        Assert.Empty(target.History);
        Assert.False(target.FullSyncNeeded);
        Assert.False(target.JustCreated);
    }

    private static Superblock BecomeTarget(Superblock source) => GenerationRules.BecomeTarget(
        Target, HandshakeAction.FullSync, Facts(source, AllBlocks));

    private static HandshakeDecision Decide(
        Superblock self, Superblock peer, long selfSyncBlocks, long peerSyncBlocks = 0) =>
        HandshakeTable.Decide(Facts(self, selfSyncBlocks), Facts(peer, peerSyncBlocks));

    private static HandshakeFacts Facts(Superblock superblock, long syncSetBlocks) => HandshakeFacts.Of(
        [superblock], new BootId(superblock.Node.Value), isPrimary: false, syncSetBlocks);

    private static Superblock Node(int number) => new()
    {
        ResourceId = Guid.Empty,
        ResourceName = "r",
        VolumeIndex = 0,
        VolumeName = "v",
        Node = new NodeId(new Guid(number, 0, 0, new byte[8])),
        DataBytes = DataBytes,
        Sequence = 5,
    };
}
