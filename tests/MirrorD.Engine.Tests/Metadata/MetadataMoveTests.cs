using MirrorD.Core.Metadata;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Metadata;

/// <summary>Metadata at the end of a disk goes to its new end, and a cut at any step leaves it whole in one place.</summary>
public class MetadataMoveTests
{
    private const long Enlarged = 700L << 20;
    private static readonly uint[] s_extents = [3, 40, 70];
    private static readonly MetadataPlacement s_place = MetadataPlacement.Internal(Enlarged);
    private static readonly long s_room = s_place.DataBytes;

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

    /// <summary>
    /// Whatever fails during a move: what is reported stored afterwards is there at the next load, and nothing else is.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_counts_as_stored_after_a_move_that_failed_where_the_next_load_would_not_find_it(bool lands)
    {
        int failures = 0;
        for (int failing = 0; failing < 12; failing++)
        {
            using MetadataWorld world = MetadataWorld.Formatted(9);
            VolumeMetadataStore store = Prepare(world);
            world.Enlarge(Enlarged);
            store.FindRoom(out _);
            int operations = 0;
            world.Data.Fault = (kind, offset, length) =>
            {
                if (operations++ != failing)
                {
                    return 0;
                }

                if (lands && kind == OperationKind.Write && offset == s_place.MetadataOffset)
                {
                    // The disk says no, but has written.
                    byte[] whole = new byte[length];
                    world.Data.Peek(offset, whole);
                    if (whole.All(value => value == 0) && failing > 0)
                    {
                        byte[] old = new byte[length];
                        world.Data.Peek(world.Volume.MetadataOffset, old);
                        world.Data.Put(offset, old);
                    }
                }

                return Errno.EIO;
            };
            if (world.Run(done => store.MakeRoom(s_room, done)) == 0)
            {
                continue;
            }

            failures++;
            world.Data.Fault = null;
            bool isStored = 0 == world.Run(done =>
                store.StoreSuperblock(store.Latest with { DiskState = DiskState.Outdated }, done));
            Assert.Equal(isStored, 0 == world.Run(done => store.StoreActivityLog([5], done)));
            world.PowerCutAndRestart();
            (_, MetadataLoad load) = world.Load();
            Assert.True(load.IsUsable, load.Damage);
            Assert.Equal(77UL, load.Superblock.Promotions);
            Assert.Equal(isStored ? DiskState.Outdated : DiskState.UpToDate, load.Superblock.DiskState);
            Assert.Equal(!isStored, load.Map.IsDirty(40 * 1024));
        }

        Assert.InRange(failures, 7, 11);
    }

    /// <summary>The device had this size in an earlier life, and was made shorter and longer again since.</summary>
    [Theory]
    [InlineData(1UL, true, 0)]
    [InlineData(900UL, false, 0)]
    [InlineData(1UL, true, 1)]
    [InlineData(900UL, false, 1)]
    public void What_an_earlier_life_left_at_the_new_end_does_not_count(ulong sequence, bool isSameVolume, int slot)
    {
        using MetadataWorld world = MetadataWorld.Formatted(10);
        Prepare(world);
        world.Enlarge(Enlarged);
        PutStale(world, sequence, isSameVolume, slot);
        world.PowerCutAndRestart();
        RequireAll(world);
    }

    [Theory]
    [InlineData(MetadataCrashTests.Crash.PowerCut)]
    [InlineData(MetadataCrashTests.Crash.Kill)]
    public void A_move_over_what_an_earlier_life_left_is_cut_anywhere(MetadataCrashTests.Crash crash) =>
        AtEveryStep(crash, (world, store) =>
        {
            PutStale(world, 900, isSameVolume: true, 1);
            bool isDone = false;
            bool wasWiped = false;
            store.MakeRoom(s_room, error => isDone = error == 0);
            world.Await(() => wasWiped |= IsWiped(world, 1), "what was left there to be wiped");
            return () => isDone;
        }, (world, _) => RequireAll(world));

    [Fact]
    public void A_device_enlarged_by_one_block_has_the_second_slot_where_the_first_one_is_looked_for()
    {
        using MetadataWorld world = MetadataWorld.Formatted(11);
        Prepare(world);
        world.Enlarge(MetadataWorld.DeviceBytes + 4096);
        world.PowerCutAndRestart();
        RequireAll(world);
    }

    private static bool IsWiped(MetadataWorld world, int slot)
    {
        byte[] bytes = new byte[SuperblockCodec.LengthBytes];
        world.Data.Peek(s_place.MetadataOffset + MetadataLayout.SuperblockOffset(slot), bytes);
        return bytes.All(value => value == 0);
    }

    private static void PutStale(MetadataWorld world, ulong sequence, bool isSameVolume, int slot)
    {
        byte[] bytes = new byte[SuperblockCodec.LengthBytes];
        SuperblockCodec.Encode(world.Initial with
        {
            Sequence = sequence,
            Node = isSameVolume ? world.Initial.Node : new NodeId(new Guid(9, 9, 9, new byte[8])),
            Promotions = 5,
        }, bytes);
        world.Data.Put(s_place.MetadataOffset + MetadataLayout.SuperblockOffset(slot), bytes);
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
