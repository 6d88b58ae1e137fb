using MirrorD.Core.Metadata;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Tests.Metadata;

/// <summary>Metadata at the end of a disk goes to its new end, and a cut at any step leaves it whole in one place.</summary>
public class MetadataMoveTests
{
    private const long Enlarged = 700L << 20;
    private static readonly uint[] s_extents = [3, 40, 70];
    private static readonly long s_room = MetadataPlacement.Internal(Enlarged).DataBytes;

    [Fact]
    public void After_a_move_all_is_found_at_the_new_end_with_nothing_else_known()
    {
        using MetadataWorld world = MetadataWorld.Formatted(1);
        VolumeMetadataStore store = Prepare(world);
        world.Enlarge(Enlarged, knowsFormer: false);
        Assert.Equal(s_room, store.FindRoom(out string? obstacle));
        Assert.Null(obstacle);
        Assert.Equal(world.Initial.DataBytes, store.RoomBytes);
        Assert.Equal(0, world.Run(done => store.MakeRoom(s_room, done)));
        Assert.Equal(s_room, store.RoomBytes);
        world.PowerCutAndRestart();
        RequireAll(world);
    }

    [Fact]
    public void A_disk_that_was_enlarged_and_whose_metadata_was_not_moved_is_still_known()
    {
        using MetadataWorld world = MetadataWorld.Formatted(2);
        Prepare(world);
        world.Enlarge(Enlarged);
        world.PowerCutAndRestart();
        RequireAll(world);
        world.KillAndRestart();
        (VolumeMetadataStore store, _, _) = world.LoadUsable();
        Assert.Equal(s_room, store.FindRoom(out _));
        Assert.Equal(0, world.Run(done => store.MakeRoom(s_room, done)));
        world.KillAndRestart();
        RequireAll(world, logIsEmpty: true);
    }

    [Theory]
    [InlineData(MetadataCrashTests.Crash.PowerCut)]
    [InlineData(MetadataCrashTests.Crash.Kill)]
    public void A_move_that_is_cut_anywhere_leaves_everything_in_one_of_both_places(MetadataCrashTests.Crash crash) =>
        AtEveryStep(crash, (world, store) =>
        {
            bool isDone = false;
            store.MakeRoom(s_room, error => isDone = error == 0);
            return () => isDone;
        }, (world, _) => RequireAll(world));

    /// <summary>What is stored while metadata moves counts like any other: reported stored, it is there.</summary>
    [Theory]
    [InlineData(MetadataCrashTests.Crash.PowerCut)]
    [InlineData(MetadataCrashTests.Crash.Kill)]
    public void What_is_stored_during_a_move_is_there_once_it_was_reported(MetadataCrashTests.Crash crash)
    {
        ulong reported = 0;
        ulong asked = 0;
        AtEveryStep(crash, (world, store) =>
        {
            (reported, asked) = (0, 0);
            bool isMoved = false;
            void StoreNext()
            {
                ulong number = ++asked;
                store.StoreSuperblock(store.Latest with { Promotions = 100 + number }, error =>
                {
                    Assert.Equal(0, error);
                    reported = number;
                    if (number < 6)
                    {
                        StoreNext();
                    }
                });
            }

            StoreNext();
            store.MakeRoom(s_room, error => isMoved = error == 0);
            return () => isMoved && reported == 6;
        }, (world, _) =>
        {
            ulong found = world.LoadUsable().Superblock.Promotions;
            Assert.InRange(found, reported == 0 ? 77 : 100 + reported, 100 + asked);
        });
    }

    /// <summary>The order of a growth: all of the new area is durably dirty before its size is valid.</summary>
    [Theory]
    [InlineData(MetadataCrashTests.Crash.PowerCut)]
    [InlineData(MetadataCrashTests.Crash.Kill)]
    public void A_new_size_that_is_found_after_a_cut_has_all_of_its_area_dirty(MetadataCrashTests.Crash crash)
    {
        DirtyMap map = null!;
        AtEveryStep(crash, (world, store) =>
        {
            map = LastMap!;
            bool isDone = false;
            store.MakeRoom(s_room, error =>
            {
                Assert.Equal(0, error);
                map.Grow(s_room);
                store.StoreDirtyPages(map, stored =>
                {
                    Assert.Equal(0, stored);
                    store.StoreSuperblock(store.Latest with { DataBytes = s_room }, kept => isDone = kept == 0);
                });
            });
            return () => isDone;
        }, (world, isDone) =>
        {
            (_, Superblock superblock, DirtyMap found) = world.LoadUsable();
            Assert.True(!isDone || superblock.DataBytes == s_room);
            Assert.Equal(superblock.DataBytes, found.VolumeBytes);
            if (superblock.DataBytes == s_room)
            {
                long first = world.Initial.DataBytes / 4096;
                Assert.Equal(found.BlockCount - first, found.DirtyRunLength(first, long.MaxValue));
            }
        });
    }

    [Fact]
    public void Metadata_is_not_moved_onto_itself()
    {
        using MetadataWorld world = MetadataWorld.Formatted(3);
        VolumeMetadataStore store = Prepare(world);
        world.Enlarge(MetadataWorld.DeviceBytes + 65536);
        Assert.Equal(world.Initial.DataBytes, store.FindRoom(out string? obstacle));
        Assert.Contains("/dev/data has grown by less than the length of its metadata", obstacle, StringComparison.Ordinal);
        long needed = long.Parse(obstacle!.Split("at least ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        world.Enlarge(needed);
        Assert.True(store.FindRoom(out obstacle) > world.Initial.DataBytes);
        Assert.Null(obstacle);
    }

    [Fact]
    public void External_metadata_needs_a_file_that_is_long_enough()
    {
        using MetadataWorld world = MetadataWorld.Formatted(4, isInternal: false);
        (VolumeMetadataStore store, _, _) = world.LoadUsable();
        long pages = 3L * DirtyPageCodec.BlocksPerPage * 4096;
        world.Data.Enlarge(Enlarged);
        Assert.Equal(pages, store.FindRoom(out string? obstacle));
        long needed = new MetadataLayout(Enlarged).TotalBytes;
        Assert.Contains($"fallocate -l {needed} /dev/meta", obstacle, StringComparison.Ordinal);
        world.Meta.Enlarge(needed);
        Assert.Equal(Enlarged, store.FindRoom(out obstacle));
        Assert.Null(obstacle);
        Assert.Equal(0, world.Run(done => store.MakeRoom(Enlarged, done)));
        DirtyMap map = new(world.Initial.DataBytes);
        map.Grow(Enlarged);
        Assert.Equal(0, world.Run(done => store.StoreDirtyPages(map, done)));
    }

    private static DirtyMap? LastMap { get; set; }

    private static VolumeMetadataStore Prepare(MetadataWorld world)
    {
        (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
        LastMap = map;
        map.MarkRange(90L << 20, 4096);
        Assert.Equal(0, world.Run(done => store.StoreDirtyPages(map, done)));
        Assert.Equal(0, world.Run(done => store.StoreActivityLog(s_extents, done)));
        Assert.Equal(0, world.Run(done => store.StoreSuperblock(store.Latest with { Promotions = 77 }, done)));
        return store;
    }

    private static void RequireAll(MetadataWorld world, bool logIsEmpty = false)
    {
        (_, MetadataLoad load) = world.Load();
        Assert.True(load.IsUsable, load.Damage);
        Assert.Equal(77UL, load.Superblock.Promotions);
        Assert.Equal(!logIsEmpty, load.LogWasNotEmpty);
        Assert.True(load.Map.IsDirty((90L << 20) / 4096));
        Assert.Equal(1 + (s_extents.Length * 1024), load.Map.DirtyBlocks);
        foreach (uint extent in s_extents)
        {
            Assert.Equal(1024, load.Map.DirtyRunLength(extent * 1024L, 1024));
        }
    }

    private static void AtEveryStep(
        MetadataCrashTests.Crash crash, Func<MetadataWorld, VolumeMetadataStore, Func<bool>> start,
        Action<MetadataWorld, bool> check)
    {
        for (ulong seed = 200; seed < 204; seed++)
        {
            bool wasDone = false;
            for (int steps = 0; !wasDone; steps++)
            {
                using MetadataWorld world = MetadataWorld.Formatted(seed);
                VolumeMetadataStore store = Prepare(world);
                world.Enlarge(Enlarged);
                store.FindRoom(out _);
                Func<bool> isDone = start(world, store);
                for (int i = 0; i < steps && !isDone(); i++)
                {
                    Assert.True(world.World.Step());
                }

                wasDone = isDone();
                if (crash == MetadataCrashTests.Crash.PowerCut)
                {
                    world.PowerCutAndRestart();
                }
                else
                {
                    world.KillAndRestart();
                }

                check(world, wasDone);
            }
        }
    }
}
