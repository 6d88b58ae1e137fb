using FsCheck;
using FsCheck.Fluent;
using MirrorD.Core.Metadata;
using MirrorD.Core.Replication;

namespace MirrorD.Core.Tests.Replication;

public class UnstableRangesTests
{
    private const int Blocks = 64;

    private sealed record Operation(bool Adds, int Volume, int Block, int Length, int Through);

    [Fact]
    public void What_the_standby_has_flushed_is_forgotten_and_the_rest_becomes_dirty()
    {
        var ranges = new UnstableRanges();
        ranges.Add(1, 0, 0, 4096);
        ranges.Add(2, 0, 8192, 4096);
        ranges.Add(5, 1, 4096, 8192);
        Assert.Equal(16384, ranges.Bytes);
        ranges.DurableThrough(1);
        Assert.Equal(2, ranges.Count);
        var maps = new DirtyMap[] { new(1 << 20), new(1 << 20) };
        ranges.MoveTo(maps);
        Assert.Equal([2L], Dirty(maps[0]));
        Assert.Equal([1L, 2L], Dirty(maps[1]));
        Assert.True(ranges.IsEmpty);
        Assert.Equal(0, ranges.Bytes);
    }

    [Fact]
    public void A_durable_point_that_falls_back_brings_nothing_back()
    {
        var ranges = new UnstableRanges();
        ranges.Add(1, 0, 0, 4096);
        ranges.Add(2, 0, 4096, 4096);
        ranges.DurableThrough(2);
        ranges.DurableThrough(1);
        Assert.True(ranges.IsEmpty);
    }

    [Fact]
    public void Forgetting_leaves_nothing()
    {
        var ranges = new UnstableRanges();
        ranges.Add(1, 0, 0, 4096);
        ranges.Clear();
        Assert.True(ranges.IsEmpty);
        Assert.Equal(0, ranges.Bytes);
    }

    [Fact]
    public void Every_range_above_the_durable_point_is_dirty_after_a_loss_and_no_other()
    {
        Gen<Operation> operation =
            from adds in Gen.Frequency((3, Gen.Constant(true)), (1, Gen.Constant(false)))
            from volume in Gen.Choose(0, 1)
            from block in Gen.Choose(0, Blocks - 5)
            from length in Gen.Choose(1, 5)
            from through in Gen.Choose(0, 40)
            select new Operation(adds, volume, block, length, through);
        Prop.ForAll(operation.ListOf().ToArbitrary(), Check)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(300));
    }

    private static void Check(IEnumerable<Operation> operations)
    {
        var ranges = new UnstableRanges();
        var kept = new List<(long Sequence, Operation Range)>();
        long sequence = 0;
        foreach (Operation operation in operations)
        {
            if (operation.Adds)
            {
                kept.Add((++sequence, operation));
                ranges.Add(sequence, operation.Volume, operation.Block * 4096L, operation.Length * 4096L);
            }
            else
            {
                kept.RemoveAll(k => k.Sequence <= operation.Through);
                ranges.DurableThrough(operation.Through);
            }

            Assert.Equal(kept.Count, ranges.Count);
            Assert.Equal(kept.Sum(k => k.Range.Length * 4096L), ranges.Bytes);
        }

        var maps = new DirtyMap[] { new(Blocks * 4096), new(Blocks * 4096) };
        ranges.MoveTo(maps);
        for (int volume = 0; volume < maps.Length; volume++)
        {
            IEnumerable<long> expected = kept.Where(k => k.Range.Volume == volume)
                .SelectMany(k => Enumerable.Range(k.Range.Block, k.Range.Length)).Select(b => (long)b)
                .Distinct().Order();
            Assert.Equal(expected, Dirty(maps[volume]));
        }
    }

    private static IEnumerable<long> Dirty(DirtyMap map) =>
        Enumerable.Range(0, (int)map.BlockCount).Select(b => (long)b).Where(map.IsDirty);
}
