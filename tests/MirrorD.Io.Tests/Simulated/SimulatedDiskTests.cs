using MirrorD.Io.Simulated;

namespace MirrorD.Io.Tests.Simulated;

public class SimulatedDiskTests
{
    private const int Bytes = 64 * 1024;

    [Fact]
    public void What_completed_before_a_completed_flush_survives_every_power_cut()
    {
        AfterEachSeed((world, loop, disk) =>
        {
            Write(world, loop, disk, 0, 1, durable: false);
            Finish(world, operation => loop.Flush(disk, operation));
            Write(world, loop, disk, 0, 2, durable: false);
            world.PowerCut("a");
            Assert.All(Sectors(disk), value => Assert.InRange(value, 1, 2));
        });
    }

    [Fact]
    public void A_durable_write_survives_although_older_ones_are_still_in_the_cache()
    {
        AfterEachSeed((world, loop, disk) =>
        {
            Write(world, loop, disk, 0, 1, durable: false);
            Write(world, loop, disk, 0, 2, durable: true);
            world.PowerCut("a");
            Assert.All(Sectors(disk), value => Assert.Equal(2, value));
        });
    }

    [Fact]
    public void A_write_that_completed_after_the_flush_was_submitted_may_be_lost()
    {
        bool lost = false;
        AfterEachSeed((world, loop, disk) =>
        {
            var flush = new IoOperation(_ => { });
            loop.Flush(disk, flush);
            Write(world, loop, disk, 0, 1, durable: false);
            world.RunUntil(() => !flush.IsPending, 1_000_000_000);
            world.PowerCut("a");
            lost |= Sectors(disk).Any(value => value == 0);
        });
        Assert.True(lost, "no seed of 200 lost a write that the flush did not cover");
    }

    [Fact]
    public void A_power_cut_tears_writes_in_some_seeds_and_loses_or_keeps_them_in_others()
    {
        HashSet<string> outcomes = [];
        AfterEachSeed((world, loop, disk) =>
        {
            Write(world, loop, disk, 0, 1, durable: false);
            world.PowerCut("a");
            outcomes.Add(Outcome(disk));
        });
        Assert.Equal(["kept", "lost", "torn"], outcomes.Order());
    }

    [Fact]
    public void A_power_cut_tears_sectors_within_only_where_that_is_said()
    {
        int torn = 0;
        AfterEachSeed((world, loop, disk) =>
        {
            disk.TearsWithin = (Bytes / 2, Bytes / 2);
            Write(world, loop, disk, 0, 1, durable: false);
            world.PowerCut("a");
            byte[] bytes = new byte[Bytes];
            disk.Peek(0, bytes);
            bool[] mixed = [.. bytes.Chunk(SimulatedDisk.SectorBytes).Select(sector => sector.Distinct().Count() > 1)];
            Assert.DoesNotContain(true, mixed.Take(mixed.Length / 2));
            Assert.Equal(disk.TornSectors, mixed.Count(isMixed => isMixed));
            torn += disk.TornSectors;
        });
        Assert.True(torn > 0, "no sector of 200 seeds was torn within");
    }

    [Fact]
    public void A_disk_stutters_in_its_range_and_nowhere_else()
    {
        AfterEachSeed((world, loop, disk) =>
        {
            disk.Stutter = (100, 1_000_000_000_000, 0, 4096);
            var slow = new IoOperation(_ => { });
            var fast = new IoOperation(_ => { });
            using var buffer = new IoBuffer(4096);
            loop.Read(disk, 0, buffer.Slice(0, 512), slow);
            loop.Read(disk, 4096, buffer.Slice(512, 512), fast);
            Assert.True(world.RunUntil(() => !fast.IsPending, 10_000_000));
            Assert.True(world.RunUntil(() => !slow.IsPending, 1_100_000_000_000));
        });
    }

    [Fact]
    public void A_killed_process_loses_nothing_that_completed_and_anything_in_flight()
    {
        HashSet<string> outcomes = [];
        AfterEachSeed((world, loop, disk) =>
        {
            Write(world, loop, disk, Bytes / 2, 3, durable: false);
            using var buffer = new IoBuffer(Bytes / 2);
            buffer.Span.Fill(1);
            loop.Write(disk, 0, buffer.Slice(0, Bytes / 2), false, new IoOperation(_ => { }));
            world.CrashProcess("a");
            Assert.All(Sectors(disk).Skip(Bytes / 1024), value => Assert.Equal(3, value));
            Assert.Equal(0, disk.OperationsInFlight);
            outcomes.Add(Outcome(disk));
        });
        Assert.Equal(["kept", "lost", "torn"], outcomes.Order());
    }

    [Fact]
    public void Disk_operations_complete_out_of_order_in_some_seeds()
    {
        HashSet<int> first = [];
        AfterEachSeed((world, loop, disk) =>
        {
            using var buffer = new IoBuffer(4096);
            int done = 0;
            for (int i = 0; i < 2; i++)
            {
                int number = i;
                loop.Write(disk, i * 4096, buffer.Slice(0, 4096), false, new IoOperation(_ =>
                {
                    done++;
                    if (done == 1)
                    {
                        first.Add(number);
                    }
                }));
            }

            world.RunUntil(() => done == 2, 1_000_000_000);
        });
        Assert.Equal([0, 1], first.Order());
    }

    [Fact]
    public void A_buffer_that_changes_under_a_write_is_noticed()
    {
        var world = new SimulatedWorld(1);
        SimulatedLoop loop = world.CreateLoop("a");
        SimulatedDisk disk = world.CreateDisk("a", "disk", Bytes);
        using var buffer = new IoBuffer(4096);
        loop.Write(disk, 0, buffer.Slice(0, 4096), false, new IoOperation(_ => { }));
        buffer.Span[100] = 1;
        Assert.Throws<InvalidOperationException>(() => world.RunUntil(() => false, 1_000_000_000));
    }

    [Fact]
    public void An_injected_fault_fails_the_operation_without_effect()
    {
        var world = new SimulatedWorld(1);
        SimulatedLoop loop = world.CreateLoop("a");
        SimulatedDisk disk = world.CreateDisk("a", "disk", Bytes);
        disk.Fault = (kind, offset, _) => kind == OperationKind.Write && offset == 0 ? Errno.EIO : 0;
        int result = 0;
        using var buffer = new IoBuffer(4096);
        buffer.Span.Fill(1);
        var write = new IoOperation(operation => result = operation.Result);
        loop.Write(disk, 0, buffer.Slice(0, 4096), false, write);
        world.RunUntil(() => result != 0, 1_000_000_000);
        Assert.Equal(-Errno.EIO, result);
        Assert.Equal(0, Sectors(disk)[0]);
    }

    private static void AfterEachSeed(Action<SimulatedWorld, SimulatedLoop, SimulatedDisk> scenario)
    {
        for (ulong seed = 0; seed < 200; seed++)
        {
            var world = new SimulatedWorld(seed);
            scenario(world, world.CreateLoop("a"), world.CreateDisk("a", "disk", Bytes));
        }
    }

    private static void Write(
        SimulatedWorld world, SimulatedLoop loop, SimulatedDisk disk, long offset, byte fill, bool durable)
    {
        using var buffer = new IoBuffer(Bytes / 2);
        buffer.Span.Fill(fill);
        BufferSlice whole = buffer.Slice(0, Bytes / 2);
        Finish(world, operation => loop.Write(disk, offset, whole, durable, operation));
        if (offset == 0)
        {
            Finish(world, operation => loop.Write(disk, Bytes / 2, whole, durable, operation));
        }
    }

    private static void Finish(SimulatedWorld world, Action<IoOperation> submit)
    {
        bool done = false;
        submit(new IoOperation(_ => done = true));
        Assert.True(world.RunUntil(() => done, 1_000_000_000));
    }

    private static byte[] Sectors(SimulatedDisk disk)
    {
        byte[] all = new byte[Bytes];
        disk.Peek(0, all);
        return [.. Enumerable.Range(0, Bytes / 512).Select(sector => all[sector * 512])];
    }

    private static string Outcome(SimulatedDisk disk)
    {
        IEnumerable<byte> half = Sectors(disk).Take(Bytes / 1024);
        return half.All(value => value == 1) ? "kept" : half.All(value => value == 0) ? "lost" : "torn";
    }
}
