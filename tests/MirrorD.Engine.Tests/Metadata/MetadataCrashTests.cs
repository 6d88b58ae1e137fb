using MirrorD.Core.Metadata;
using MirrorD.Engine.Metadata;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Tests.Metadata;

/// <summary>
/// Invariant 20: power is cut, or the process killed, at every single step of a scenario, with several seeds
/// for what the disk's cache keeps. What is read then is the last state that was reported stored or one that
/// was asked for after it; never an older one, never a mixture.
/// </summary>
public class MetadataCrashTests
{
    private const int Seeds = 6;

    public enum Crash
    {
        PowerCut, Kill,
    }

    [Theory]
    [InlineData(Crash.PowerCut)]
    [InlineData(Crash.Kill)]
    public void A_superblock_store_that_is_cut_anywhere_leaves_the_previous_or_the_new_state(Crash crash) =>
        AtEveryStep(
            crash,
            world =>
            {
                var progress = new Progress();
                (VolumeMetadataStore store, _, _) = world.LoadUsable();
                void StoreNext()
                {
                    ulong number = ++progress.Asked;
                    store.StoreSuperblock(Stamped(store.Latest, number), error =>
                    {
                        Assert.Equal(0, error);
                        progress.Reported = number;
                        if (number < 8)
                        {
                            StoreNext();
                        }
                    });
                }

                StoreNext();
                progress.IsDone = () => progress.Reported == 8;
                return progress;
            },
            (world, progress) =>
            {
                Superblock found = world.LoadUsable().Superblock;
                Assert.InRange(found.Promotions, progress.Reported, progress.Asked);
                Superblock expected = Stamped(world.Initial, found.Promotions);
                Assert.Equal(
                    expected with { Sequence = found.Sequence, History = [] }, found with { History = [] });
                Assert.Equal(found.Promotions == 0 ? [] : expected.History, found.History);
            });

    [Theory]
    [InlineData(Crash.PowerCut)]
    [InlineData(Crash.Kill)]
    public void A_log_transaction_that_is_cut_anywhere_leaves_the_previous_or_the_new_set(Crash crash) =>
        AtEveryStep(
            crash,
            world =>
            {
                var progress = new Progress();
                (VolumeMetadataStore store, _, _) = world.LoadUsable();
                void StoreNext()
                {
                    ulong number = ++progress.Asked;
                    store.StoreActivityLog([(uint)number, (uint)number + 50], error =>
                    {
                        Assert.Equal(0, error);
                        progress.Reported = number;
                        if (number < 12)
                        {
                            StoreNext();
                        }
                    });
                }

                StoreNext();
                progress.IsDone = () => progress.Reported == 12;
                return progress;
            },
            (world, progress) =>
            {
                (_, Superblock superblock, DirtyMap map) = world.LoadUsable();
                uint found = (uint)(map.NextDirty(0) * 4096 / superblock.ExtentBytes);
                if (map.IsEmpty)
                {
                    Assert.Equal(0UL, progress.Reported);
                    return;
                }

                Assert.InRange(found, progress.Reported, progress.Asked);
                VolumeMetadataStoreTests.AssertDirtyExtents(map, superblock, found, found + 50);
            });

    [Theory]
    [InlineData(Crash.PowerCut)]
    [InlineData(Crash.Kill)]
    public void Dirty_bits_that_were_reported_stored_survive_a_cut_anywhere(Crash crash) =>
        AtEveryStep(
            crash,
            world =>
            {
                var progress = new Progress();
                (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
                void StoreNext()
                {
                    ulong number = ++progress.Asked;
                    map.MarkRange(BlockOf(number) * 4096, 4096);
                    store.StoreDirtyPages(map, error =>
                    {
                        Assert.Equal(0, error);
                        progress.Reported = number;
                        if (number < 8)
                        {
                            StoreNext();
                        }
                    });
                }

                StoreNext();
                progress.IsDone = () => progress.Reported == 8;
                return progress;
            },
            (world, progress) =>
            {
                DirtyMap map = world.LoadUsable().Map;
                for (ulong number = 1; number <= progress.Reported; number++)
                {
                    Assert.True(map.IsDirty(BlockOf(number)),
                        $"block {BlockOf(number)} of store {number} is lost");
                }

                // Beyond that, only what was asked for, and whole pages that the cut tore.
                for (long block = map.NextDirty(0); block >= 0; block = map.NextDirty(block + 1))
                {
                    bool asked = false;
                    for (ulong number = 1; number <= progress.Asked; number++)
                    {
                        asked |= BlockOf(number) == block;
                    }

                    long page = block / DirtyPageCodec.BlocksPerPage;
                    long first = page * DirtyPageCodec.BlocksPerPage;
                    long pageBlocks = Math.Min(DirtyPageCodec.BlocksPerPage, map.BlockCount - first);
                    if (!asked)
                    {
                        Assert.Equal(pageBlocks, map.DirtyRunLength(first, pageBlocks));
                        block = first + pageBlocks - 1;
                    }
                }
            });

    /// <summary>
    /// Activation moves the log into the map; whatever interrupts it, the extents stay in one of them.
    /// </summary>
    [Theory]
    [InlineData(Crash.PowerCut)]
    [InlineData(Crash.Kill)]
    public void Activation_that_is_cut_anywhere_loses_no_active_extent(Crash crash) =>
        AtEveryStep(
            crash,
            world =>
            {
                (VolumeMetadataStore store, _, _) = world.LoadUsable();
                Assert.Equal(0, world.Run(done => store.StoreActivityLog([3, 40, 70], done)));
                world.KillAndRestart();
                var progress = new Progress();
                MetadataLoad? load = null;
                world.NewStore().Load(found => load = found);
                progress.IsDone = () => load is not null;
                return progress;
            },
            (world, progress) =>
            {
                (_, Superblock superblock, DirtyMap map) = world.LoadUsable();
                foreach (uint extent in (uint[])[3, 40, 70])
                {
                    long first = extent * (long)superblock.ExtentBytes / 4096;
                    Assert.Equal(1024, map.DirtyRunLength(first, 1024));
                }
            });

    [Theory]
    [InlineData(Crash.PowerCut)]
    [InlineData(Crash.Kill)]
    public void Formatting_that_is_cut_anywhere_leaves_no_metadata_or_all_of_it(Crash crash) =>
        AtEveryStep(
            crash,
            world =>
            {
                (VolumeMetadataStore store, _, _) = world.LoadUsable();
                Assert.Equal(0, world.Run(done => store.StoreSuperblock(Stamped(store.Latest, 77), done)));
                Assert.Equal(0, world.Run(done => store.StoreActivityLog([3], done)));
                var progress = new Progress();
                int? result = null;
                VolumeFormatter.Format(
                    world.Loop, world.Volume, world.Initial, true, error => result = error);
                progress.IsDone = () => result is not null;
                return progress;
            },
            (world, progress) =>
            {
                (_, MetadataLoad load) = world.Load();
                Assert.True(load.IsUsable || !progress.IsDone());
                if (load.IsUsable && load.Superblock.Promotions == 77)
                {
                    // The old superblock is still there: then nothing of the old metadata is gone.
                    VolumeMetadataStoreTests.AssertDirtyExtents(load.Map, load.Superblock, 3);
                }
                else if (load.IsUsable)
                {
                    Assert.Equal(0UL, load.Superblock.Promotions);
                    Assert.Equal(load.Map.BlockCount, load.Map.DirtyBlocks);
                    Assert.False(load.LogWasNotEmpty);
                }
            });

    /// <summary>A killed process leaves writes in the disk's cache: visible, but not durable.</summary>
    [Fact]
    public void What_was_loaded_after_a_kill_is_still_there_after_a_power_cut()
    {
        for (ulong seed = 0; seed < 60; seed++)
        {
            using MetadataWorld world = MetadataWorld.Formatted(seed);
            (VolumeMetadataStore store, _, DirtyMap map) = world.LoadUsable();
            map.MarkRange(0, 4096);
            store.StoreSuperblock(Stamped(store.Latest, 1), _ => { });
            store.StoreDirtyPages(map, _ => { });
            for (ulong step = 0; step < seed % 4; step++)
            {
                world.World.Step();
            }

            world.KillAndRestart();
            (_, Superblock before, DirtyMap mapBefore) = world.LoadUsable();
            world.PowerCutAndRestart();
            (_, Superblock after, DirtyMap mapAfter) = world.LoadUsable();
            Assert.Equal(before.Promotions, after.Promotions);
            Assert.Equal(before.Sequence, after.Sequence);
            Assert.Equal(mapBefore.DirtyBlocks, mapAfter.DirtyBlocks);
        }
    }

    private static long BlockOf(ulong number) =>
        (long)(number % 3) * DirtyPageCodec.BlocksPerPage + (long)number * 100;

    /// <summary>Every field that can differ carries the number, so that a mixture shows.</summary>
    private static Superblock Stamped(Superblock superblock, ulong number) => number == 0
        ? superblock
        : superblock with
        {
            Promotions = number,
            Current = new Generation(number),
            Bitmap = new Generation(number),
            Session = new SessionId(number),
            PeerSequence = number,
            History = [.. Enumerable.Repeat(new Generation(number), 1 + (int)number % 32)],
            DiskState = number % 2 == 0 ? DiskState.UpToDate : DiskState.Outdated,
        };

    private static void AtEveryStep(
        Crash crash, Func<MetadataWorld, Progress> start, Action<MetadataWorld, Progress> check)
    {
        for (ulong seed = 100; seed < 100 + Seeds; seed++)
        {
            bool wasDone = false;
            for (int steps = 0; !wasDone; steps++)
            {
                using MetadataWorld world = MetadataWorld.Formatted(seed);
                Progress progress = start(world);
                for (int i = 0; i < steps && !progress.IsDone(); i++)
                {
                    Assert.True(world.World.Step());
                }

                wasDone = progress.IsDone();
                if (crash == Crash.PowerCut)
                {
                    world.PowerCutAndRestart();
                }
                else
                {
                    world.KillAndRestart();
                }

                check(world, progress);
            }
        }
    }

    private sealed class Progress
    {
        public ulong Asked { get; set; }

        public ulong Reported { get; set; }

        public Func<bool> IsDone { get; set; } = () => false;
    }
}
