using MirrorD.Core.Metadata;
using MirrorD.Engine.Metadata;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Metadata;

public class MetadataDamageTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_damaged_superblock_slot_is_replaced_by_the_other_before_the_volume_is_used(int slot)
    {
        using MetadataWorld world = MetadataWorld.Formatted(20);
        (VolumeMetadataStore store, Superblock superblock, _) = world.LoadUsable();
        Assert.Equal(0, world.Run(done => store.StoreSuperblock(superblock with { Promotions = 3 }, done)));
        world.Damage(MetadataLayout.SuperblockOffset(slot) + 100);
        Assert.Equal(3UL, world.LoadUsable().Superblock.Promotions);
        world.Damage(MetadataLayout.SuperblockOffset(1 - slot) + 100);
        Assert.Equal(3UL, world.LoadUsable().Superblock.Promotions);
    }

    [Fact]
    public void An_unreadable_superblock_slot_is_written_again()
    {
        using MetadataWorld world = MetadataWorld.Formatted(21);
        long slot = world.Volume.MetadataOffset;
        int writes = 0;
        world.Meta.Fault = (kind, offset, _) =>
        {
            writes += kind == OperationKind.Write && offset == slot ? 1 : 0;
            return kind == OperationKind.Read && offset == slot && writes == 0 ? Errno.EIO : 0;
        };
        world.LoadUsable();
        Assert.Equal(1, writes);
    }

    [Fact]
    public void Of_two_intact_superblock_slots_the_higher_sequence_wins()
    {
        using MetadataWorld world = MetadataWorld.Formatted(32);
        (VolumeMetadataStore store, Superblock superblock, _) = world.LoadUsable();
        long second = world.Volume.MetadataOffset + MetadataLayout.SuperblockOffset(1);
        world.Meta.Fault = (kind, offset, _) =>
            kind == OperationKind.Write && offset == second ? Errno.EIO : 0;
        Assert.Equal(Errno.EIO,
            world.Run(done => store.StoreSuperblock(superblock with { Promotions = 8 }, done)));
        world.Meta.Fault = null;
        Assert.Equal(8UL, world.LoadUsable().Superblock.Promotions);
    }

    [Fact]
    public void Two_damaged_superblocks_are_named_with_a_remedy()
    {
        using MetadataWorld world = MetadataWorld.Formatted(22);
        world.Damage(MetadataLayout.SuperblockOffset(0) + 100);
        world.Damage(MetadataLayout.SuperblockOffset(1));
        (_, MetadataLoad load) = world.Load();
        Assert.False(load.IsUsable);
        Assert.Null(load.Superblock);
        Assert.Contains("MetadataDamaged: volume spool: no intact superblock on /dev/data", load.Damage);
        Assert.Contains("slot 0: BadChecksum, slot 1: BadMagic", load.Damage);
        Assert.Contains("mirrorctl", load.Damage);
    }

    [Fact]
    public void A_device_without_metadata_is_not_called_damaged_slots()
    {
        using var world = new MetadataWorld(23);
        Assert.Contains("there is no metadata on /dev/data at byte", world.Load().Load.Damage);
    }

    [Fact]
    public void Metadata_of_another_volume_or_another_size_is_refused()
    {
        using MetadataWorld world = MetadataWorld.Formatted(24);
        (VolumeMetadataStore store, Superblock superblock, _) = world.LoadUsable();
        Assert.Equal(0,
            world.Run(done => store.StoreSuperblock(superblock with { VolumeName = "queue" }, done)));
        Assert.Contains("holds the metadata of volume queue, not spool", world.Load().Load.Damage);

        superblock = superblock with { DataBytes = superblock.DataBytes + 4096 };
        Assert.Equal(0, world.Run(done => store.StoreSuperblock(superblock, done)));
        Assert.Contains("has room for", world.Load().Load.Damage);
    }

    [Fact]
    public void A_later_version_in_either_slot_is_a_reason_to_stop()
    {
        using MetadataWorld world = MetadataWorld.Formatted(25);
        var block = new byte[4096];
        SuperblockCodec.Encode(world.Initial, block);
        block[12] = 2;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32LittleEndian(
            block.AsSpan(8),
            Formats.Crc32C.Append(Formats.Crc32C.Compute(block.AsSpan(0, 8)), block.AsSpan(12)));
        using var buffer = new IoBuffer(4096);
        block.CopyTo(buffer.Span);
        bool done = false;
        world.Loop.Write(world.Meta, world.Volume.MetadataOffset + 4096, buffer.Slice(0, 4096), true,
            new IoOperation(_ => done = true));
        world.Await(() => done, "a write");
        Assert.Contains("later version", world.Load().Load.Damage);
    }

    [Fact]
    public void A_damaged_page_counts_as_all_dirty_and_is_stored_as_such()
    {
        using MetadataWorld world = MetadataWorld.Formatted(26);
        world.Damage(MetadataLayout.PagesOffset + 4096 + 77);
        (_, _, DirtyMap map) = world.LoadUsable();
        AssertOnlyPageOneIsDirty(map);
        world.PowerCutAndRestart();
        AssertOnlyPageOneIsDirty(world.LoadUsable().Map);
    }

    [Fact]
    public void An_unreadable_page_counts_as_all_dirty_and_is_written_again()
    {
        using MetadataWorld world = MetadataWorld.Formatted(27);
        long page = world.Volume.MetadataOffset + MetadataLayout.PagesOffset + 4096;
        world.Meta.Fault = (kind, offset, length) =>
            kind == OperationKind.Read && offset <= page && offset + length > page ? Errno.EIO : 0;
        AssertOnlyPageOneIsDirty(world.LoadUsable().Map);
        world.Meta.Fault = null;
        AssertOnlyPageOneIsDirty(world.LoadUsable().Map);
    }

    [Fact]
    public void A_log_that_is_not_trusted_makes_everything_dirty_once()
    {
        using MetadataWorld world = MetadataWorld.Formatted(28);
        world.Damage(MetadataLayout.LogSlotOffset(1) + 100);
        (VolumeMetadataStore store, MetadataLoad load) = world.Load();
        Assert.True(load.LogWasNotEmpty);
        Assert.Equal(load.Map!.BlockCount, load.Map.DirtyBlocks);

        load.Map.ClearBlocks(0, load.Map.BlockCount);
        Assert.Equal(0, world.Run(done => store.StoreDirtyPages(load.Map, done)));
        (_, MetadataLoad again) = world.Load();
        Assert.False(again.LogWasNotEmpty);
        Assert.True(again.Map!.IsEmpty);
    }

    [Fact]
    public void An_unreadable_log_makes_everything_dirty()
    {
        using MetadataWorld world = MetadataWorld.Formatted(29);
        long first = world.Volume.MetadataOffset + MetadataLayout.LogOffset;
        long end = world.Volume.MetadataOffset + MetadataLayout.PagesOffset;
        world.Meta.Fault = (kind, offset, _) =>
            kind == OperationKind.Read && offset >= first && offset < end ? Errno.EIO : 0;
        (_, _, DirtyMap map) = world.LoadUsable();
        Assert.Equal(map.BlockCount, map.DirtyBlocks);
    }

    [Fact]
    public void An_active_extent_outside_the_volume_makes_everything_dirty()
    {
        using MetadataWorld world = MetadataWorld.Formatted(30);
        (VolumeMetadataStore store, _, _) = world.LoadUsable();
        Assert.Equal(0, world.Run(done => store.StoreActivityLog([1, 1000], done)));
        (_, _, DirtyMap map) = world.LoadUsable();
        Assert.Equal(map.BlockCount, map.DirtyBlocks);
    }

    [Theory]
    [InlineData(OperationKind.Flush, "flushing /dev/data failed with errno 5")]
    [InlineData(OperationKind.Write, "failed with errno 5")]
    public void A_disk_that_fails_during_activation_is_named(OperationKind kind, string expected)
    {
        using MetadataWorld world = MetadataWorld.Formatted(31);
        world.Meta.Fault = (failing, _, _) => failing == kind ? Errno.EIO : 0;
        (_, MetadataLoad load) = world.Load();
        Assert.False(load.IsUsable);
        Assert.Contains(expected, load.Damage);
    }

    private static void AssertOnlyPageOneIsDirty(DirtyMap map)
    {
        Assert.Equal(DirtyPageCodec.BlocksPerPage, map.DirtyBlocks);
        Assert.Equal(DirtyPageCodec.BlocksPerPage, map.NextDirty(0));
    }
}
