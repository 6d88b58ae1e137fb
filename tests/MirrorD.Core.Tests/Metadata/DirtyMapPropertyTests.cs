using FsCheck;
using FsCheck.Fluent;
using MirrorD.Core.Metadata;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Metadata;

/// <summary>
/// The map against the plainest model: a set of block numbers, and the stored pages as sets too.
/// </summary>
public class DirtyMapPropertyTests
{
    private enum Step
    {
        Mark, Clear, MarkAll, Store, StoreFailed, Merge, PageLost, Reload,
    }

    private sealed record Operation(Step Step, double At, double Length);

    [Fact]
    public void Any_sequence_of_operations_agrees_with_a_set_of_blocks()
    {
        Gen<Operation> operation =
            from step in Gen.Frequency(
                (8, Gen.Constant(Step.Mark)), (6, Gen.Constant(Step.Clear)), (1, Gen.Constant(Step.MarkAll)),
                (3, Gen.Constant(Step.Store)), (1, Gen.Constant(Step.StoreFailed)),
                (2, Gen.Constant(Step.Merge)),
                (1, Gen.Constant(Step.PageLost)), (2, Gen.Constant(Step.Reload)))
            from at in Gen.Choose(0, 1000)
            from length in Gen.Frequency((3, Gen.Choose(0, 3)), (1, Gen.Choose(0, 1000)))
            select new Operation(step, at / 1001.0, length / 1000.0);
        Gen<(long, List<Operation>)> cases =
            from blocks in Gen.OneOf(
                Gen.Choose(1, 200),
                Gen.Choose(DirtyPageCodec.BlocksPerPage - 70, DirtyPageCodec.BlocksPerPage * 2))
            from tail in Gen.Elements(0, 512, 4095)
            from operations in operation.ListOf()
            select (Math.Max(1, blocks * 4096L - tail), operations.ToList());
        Prop.ForAll(cases.ToArbitrary(), c => Check(c.Item1, c.Item2))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(80));
    }

    private static void Check(long volumeBytes, List<Operation> operations)
    {
        var map = new DirtyMap(volumeBytes);
        var model = new HashSet<long>();
        var stored = new byte[map.PageCount][];
        for (int page = 0; page < map.PageCount; page++)
        {
            stored[page] = new byte[DirtyPageCodec.BitsBytes];
        }

        foreach (Operation operation in operations)
        {
            long offset = (long)(operation.At * volumeBytes);
            long length = Math.Min(volumeBytes - offset, (long)(operation.Length * volumeBytes) + 1);
            map = Apply(operation.Step, map, model, stored, offset, length);
            Compare(map, model, offset / DirtyMap.BlockBytes);
            for (int page = 0; page < map.PageCount; page++)
            {
                Assert.True(map.IsPageChanged(page) || SameAsStored(map, page, stored[page]),
                    $"page {page} differs from its stored form and does not say so");
            }
        }
    }

    private static DirtyMap Apply(
        Step step, DirtyMap map, HashSet<long> model, byte[][] stored, long offset, long length)
    {
        long first = offset / DirtyMap.BlockBytes;
        long last = (offset + length - 1) / DirtyMap.BlockBytes;
        int page = (int)(first / DirtyPageCodec.BlocksPerPage);
        switch (step)
        {
            case Step.Mark:
                map.MarkRange(offset, length);
                model.UnionWith(Range(first, last));
                break;
            case Step.Clear:
                map.ClearBlocks(first, last - first + 1);
                model.ExceptWith(Range(first, last));
                break;
            case Step.MarkAll:
                map.MarkAll();
                model.UnionWith(Range(0, map.BlockCount - 1));
                break;
            case Step.Store:
                for (int taken = map.TakeChangedPage(); taken >= 0; taken = map.TakeChangedPage())
                {
                    map.CopyPage(taken, stored[taken]);
                }

                Assert.False(map.HasChangedPages);
                break;
            case Step.StoreFailed:
                int failed = map.TakeChangedPage();
                if (failed >= 0)
                {
                    map.MarkPageChanged(failed);
                }

                break;
            case Step.Merge:
                var other = new DirtyMap(map.VolumeBytes);
                other.MarkRange(offset, length);
                map.Merge(other);
                model.UnionWith(Range(first, last));
                break;
            case Step.PageLost:
                map.MarkPageDirty(page);
                model.UnionWith(Range((long)page * DirtyPageCodec.BlocksPerPage,
                    Math.Min(map.BlockCount, (page + 1L) * DirtyPageCodec.BlocksPerPage) - 1));
                break;
            case Step.Reload:
                var loaded = new DirtyMap(map.VolumeBytes);
                var bits = new byte[DirtyPageCodec.BitsBytes];
                for (int i = 0; i < map.PageCount; i++)
                {
                    map.CopyPage(i, bits);
                    loaded.LoadPage(i, bits);
                    if (map.IsPageChanged(i))
                    {
                        loaded.MarkPageChanged(i);
                    }
                }

                return loaded;
            default:
                throw new InvalidOperationException($"{step}");
        }

        return map;
    }

    private static void Compare(DirtyMap map, HashSet<long> model, long around)
    {
        Assert.Equal(model.Count, map.DirtyBlocks);
        Assert.Equal(model.Count == 0, map.IsEmpty);
        var found = new HashSet<long>();
        for (long block = map.NextDirty(0); block >= 0;)
        {
            long run = map.DirtyRunLength(block, long.MaxValue);
            Assert.True(run > 0);
            found.UnionWith(Range(block, block + run - 1));
            block = map.NextDirty(block + run);
        }

        Assert.True(found.SetEquals(model));
        for (long block = Math.Max(0, around - 66); block < Math.Min(map.BlockCount, around + 66); block++)
        {
            Assert.Equal(model.Contains(block), map.IsDirty(block));
            Assert.Equal(model.Contains(block), map.DirtyRunLength(block, 1) == 1);
            Assert.Equal(0, map.DirtyRunLength(block, 0));
        }
    }

    private static bool SameAsStored(DirtyMap map, int page, byte[] stored)
    {
        var bits = new byte[DirtyPageCodec.BitsBytes];
        Array.Fill(bits, (byte)0x55);
        map.CopyPage(page, bits);
        return bits.AsSpan().SequenceEqual(stored);
    }

    private static IEnumerable<long> Range(long first, long last)
    {
        for (long block = first; block <= last; block++)
        {
            yield return block;
        }
    }
}
