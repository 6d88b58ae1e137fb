using MirrorD.Core;
using MirrorD.Core.Metadata;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Metadata;

public class VolumeMetadataStoreTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void A_formatted_volume_is_read_back_after_a_power_cut(bool isInternal, bool everythingDirty)
    {
        using MetadataWorld world = MetadataWorld.Formatted(1, everythingDirty, isInternal);
        world.PowerCutAndRestart();
        (_, MetadataLoad load) = world.Load();
        Assert.True(load.IsUsable, load.Damage);
        Assert.Equal(world.Initial with { Sequence = 1, History = load.Superblock.History }, load.Superblock);
        Assert.Empty(load.Superblock.History);
        Assert.Equal(everythingDirty ? load.Map.BlockCount : 0, load.Map.DirtyBlocks);
        Assert.False(load.LogWasNotEmpty);
        Assert.False(load.Map.HasChangedPages);
    }

    [Theory]
    [InlineData(CreationSource.Self, DiskState.UpToDate)]
    [InlineData(CreationSource.Empty, DiskState.UpToDate)]
    [InlineData(CreationSource.Peer, DiskState.Inconsistent)]
    [InlineData(CreationSource.Unnamed, DiskState.Inconsistent)]
    public void A_new_copy_counts_only_when_creation_said_so(CreationSource source, DiskState expected)
    {
        Superblock initial = VolumeFormatter.Initial("r", "v", 0, default, 4096, source, new Generation(5));
        Assert.Equal(expected, initial.DiskState);
        Assert.True(initial.JustCreated);
        Assert.Null(SuperblockCodec.FirstFieldOutOfRange(initial));
    }

    [Fact]
    public void A_stored_superblock_gets_the_next_sequence_and_is_found_again()
    {
        using MetadataWorld world = MetadataWorld.Formatted(2);
        (VolumeMetadataStore store, Superblock first, _) = world.LoadUsable();
        Superblock next = first with { Promotions = 9, History = [new(4), new(3)], WasPrimary = true };
        Assert.Equal(0, world.Run(done => store.StoreSuperblock(next, done)));
        Assert.Equal(2UL, store.Current.Sequence);
        Assert.Equal(next with { Sequence = 2 }, store.Current);
        world.PowerCutAndRestart();
        (_, Superblock found, _) = world.LoadUsable();
        Assert.Equal(next.History, found.History);
        Assert.Equal(store.Current, found with { History = next.History });
    }

    [Fact]
    public void Superblock_calls_are_served_in_order_and_each_builds_on_the_latest()
    {
        using MetadataWorld world = MetadataWorld.Formatted(3);
        (VolumeMetadataStore store, _, _) = world.LoadUsable();
        var ended = new List<ulong>();
        for (int i = 0; i < 4; i++)
        {
            store.StoreSuperblock(store.Latest with { Promotions = store.Latest.Promotions + 1 }, error =>
            {
                Assert.Equal(0, error);
                ended.Add(store.Current.Promotions);
            });
        }

        Assert.Equal(0UL, store.Current.Promotions);
        Assert.Equal(4UL, store.Latest.Promotions);
        world.Await(() => ended.Count == 4, "four superblocks");
        Assert.Equal([1UL, 2UL, 3UL, 4UL], ended);
        Assert.False(store.IsBusy);
    }

    [Fact]
    public void A_failed_superblock_write_is_reported_and_its_number_is_not_used_again()
    {
        using MetadataWorld world = MetadataWorld.Formatted(4);
        (VolumeMetadataStore store, Superblock first, _) = world.LoadUsable();
        world.Meta.Fault = (kind, _, _) => kind == OperationKind.Write ? Errno.EIO : 0;
        Assert.Equal(Errno.EIO,
            world.Run(done => store.StoreSuperblock(first with { Promotions = 1 }, done)));
        Assert.Same(first, store.Current);
        world.Meta.Fault = null;
        Assert.Equal(0, world.Run(done => store.StoreSuperblock(first with { Promotions = 2 }, done)));
        Assert.Equal(3UL, store.Current.Sequence);
    }

    [Fact]
    public void The_extents_of_the_log_are_dirty_after_a_restart_and_the_log_is_empty()
    {
        using MetadataWorld world = MetadataWorld.Formatted(5);
        (VolumeMetadataStore store, Superblock superblock, _) = world.LoadUsable();
        Assert.Equal(0, world.Run(done => store.StoreActivityLog([1, 2], done)));
        Assert.Equal(0, world.Run(done => store.StoreActivityLog([2, MetadataWorld.Extents - 1], done)));
        world.KillAndRestart();
        (_, MetadataLoad load) = world.Load();
        Assert.True(load.LogWasNotEmpty);
        AssertDirtyExtents(load.Map!, superblock, 2, MetadataWorld.Extents - 1);

        world.PowerCutAndRestart();
        (_, MetadataLoad again) = world.Load();
        Assert.False(again.LogWasNotEmpty);
        AssertDirtyExtents(again.Map!, superblock, 2, MetadataWorld.Extents - 1);
    }

    [Fact]
    public void A_second_transaction_before_the_first_has_ended_breaks_a_rule()
    {
        using MetadataWorld world = MetadataWorld.Formatted(6);
        (VolumeMetadataStore store, _, _) = world.LoadUsable();
        store.StoreActivityLog([1], _ => { });
        Assert.Throws<InvariantViolation>(() => store.StoreActivityLog([2], _ => { }));
    }

    [Fact]
    public void Stored_pages_are_found_again_and_cleared_blocks_stay_clear()
    {
        using MetadataWorld world = MetadataWorld.Formatted(7, everythingDirty: true);
        (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
        map.ClearBlocks(10, map.BlockCount - 20);
        Assert.Equal(0, world.Run(done => store.StoreDirtyPages(map, done)));
        Assert.False(map.HasChangedPages);
        world.PowerCutAndRestart();
        (_, _, DirtyMap found) = world.LoadUsable();
        Assert.Equal(20, found.DirtyBlocks);
        Assert.True(found.IsDirty(9) && found.IsDirty(map.BlockCount - 1) && !found.IsDirty(10));
    }

    [Fact]
    public void A_page_that_changes_while_it_is_written_stays_changed()
    {
        using MetadataWorld world = MetadataWorld.Formatted(8);
        (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
        map.MarkRange(0, 4096);
        int? result = null;
        store.StoreDirtyPages(map, error => result = error);
        Assert.False(map.HasChangedPages);
        map.MarkRange(4096, 4096);
        world.Await(() => result is not null, "the pages to be stored");
        Assert.True(map.HasChangedPages);
    }

    [Fact]
    public void A_call_with_nothing_changed_ends_after_those_that_still_write()
    {
        using MetadataWorld world = MetadataWorld.Formatted(9);
        (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
        map.MarkAll();
        var order = new List<int>();
        store.StoreDirtyPages(map, _ => order.Add(1));
        store.StoreDirtyPages(map, _ => order.Add(2));
        store.StoreDirtyPages(map, _ => order.Add(3));
        Assert.Empty(order);
        world.Await(() => order.Count == 3, "three calls");
        Assert.Equal([1, 2, 3], order);
        Assert.Equal(0, world.Run(done => store.StoreDirtyPages(map, done)));
        Assert.False(store.IsBusy);
    }

    /// <summary>
    /// The bits are in memory and in flight; a call that waits may not report them stored when they failed.
    /// </summary>
    [Fact]
    public void A_failed_page_is_written_again_for_the_call_that_waited()
    {
        using MetadataWorld world = MetadataWorld.Formatted(10);
        (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
        int failures = 1;
        world.Meta.Fault = (kind, _, _) => kind == OperationKind.Write && failures-- > 0 ? Errno.EIO : 0;
        map.MarkRange(0, 4096);
        int? first = null;
        int? second = null;
        store.StoreDirtyPages(map, error => first = error);
        store.StoreDirtyPages(map, error => second = error);
        world.Await(() => second is not null, "both calls");
        Assert.Equal(Errno.EIO, first);
        Assert.Equal(0, second);
        world.PowerCutAndRestart();
        (_, _, DirtyMap found) = world.LoadUsable();
        Assert.True(found.IsDirty(0));
    }

    [Fact]
    public void A_call_from_a_callback_is_served()
    {
        using MetadataWorld world = MetadataWorld.Formatted(11);
        (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
        int ended = 0;
        map.MarkRange(0, 1);
        store.StoreDirtyPages(map, _ =>
        {
            ended++;
            map.MarkRange(8192, 1);
            store.StoreDirtyPages(map, _ => ended++);
        });
        store.StoreSuperblock(store.Latest, _ => store.StoreSuperblock(store.Latest, _ => ended++));
        store.StoreActivityLog([1], _ => store.StoreActivityLog([2], _ => ended++));
        world.Await(() => ended == 4, "calls made from callbacks");
        Assert.False(map.HasChangedPages);
    }

    internal static void AssertDirtyExtents(DirtyMap map, Superblock superblock, params uint[] extents)
    {
        var expected = new DirtyMap(superblock.DataBytes);
        foreach (uint extent in extents)
        {
            long offset = extent * (long)superblock.ExtentBytes;
            expected.MarkRange(offset, Math.Min(superblock.ExtentBytes, superblock.DataBytes - offset));
        }

        Assert.Equal(expected.DirtyBlocks, map.DirtyBlocks);
        expected.Merge(map);
        Assert.Equal(expected.DirtyBlocks, map.DirtyBlocks);
    }
}
