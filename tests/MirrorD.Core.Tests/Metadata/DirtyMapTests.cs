using MirrorD.Core.Metadata;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Metadata;

public class DirtyMapTests
{
    private const int Page = DirtyPageCodec.BlocksPerPage;

    [Fact]
    public void A_new_map_is_clean_and_has_nothing_to_store()
    {
        var map = new DirtyMap(10 * 4096);
        Assert.Equal(10, map.BlockCount);
        Assert.True(map.IsEmpty);
        Assert.Equal(-1, map.NextDirty(0));
        Assert.False(map.HasChangedPages);
        Assert.Equal(-1, map.TakeChangedPage());
    }

    [Fact]
    public void A_marked_range_is_rounded_outward_to_blocks()
    {
        var map = new DirtyMap(10 * 4096);
        map.MarkRange(4095, 2);
        Assert.Equal([0L, 1L], Dirty(map));
        map.MarkRange(3 * 4096, 1);
        Assert.Equal([0L, 1L, 3L], Dirty(map));
        map.MarkRange(5 * 4096, 0);
        Assert.Equal(3, map.DirtyBlocks);
    }

    [Theory]
    [InlineData(10 * 4096, 20 * 4096)]
    [InlineData((10 * 4096) + 512, 11 * 4096)]
    [InlineData(64 * 4096, 65 * 4096)]
    [InlineData(Page * 4096L, (3L * Page * 4096) + 4096)]
    [InlineData(4096, 70L * Page * 4096)]
    public void What_a_map_grows_by_is_dirty_and_to_be_stored(long before, long after)
    {
        var map = new DirtyMap(before);
        map.MarkRange(0, 1);
        map.Grow(after);
        var expected = new DirtyMap(after);
        expected.MarkRange(0, 1);
        expected.MarkRange(before / 4096 * 4096, after - (before / 4096 * 4096));
        Assert.Equal((expected.BlockCount, expected.PageCount), (map.BlockCount, map.PageCount));
        Assert.Equal(expected.DirtyBlocks, map.DirtyBlocks);
        Assert.Equal(Dirty(expected), Dirty(map));
        Assert.True(map.IsPageChanged(map.PageCount - 1));
        Assert.Throws<InvariantViolation>(() => map.Grow(after - 1));
    }

    [Fact]
    public void A_page_that_is_loaded_replaces_what_the_map_said_of_it_and_is_counted_once()
    {
        var map = new DirtyMap(10 * 4096);
        map.MarkRange(0, 5 * 4096);
        byte[] bits = new byte[DirtyMap.PageBytes];
        bits[0] = 0b110;
        map.LoadPage(0, bits);
        Assert.Equal([1L, 2L], Dirty(map));
        Assert.Equal(2, map.DirtyBlocks);
        map.LoadPage(0, bits);
        Assert.Equal(2, map.DirtyBlocks);
    }

    [Fact]
    public void A_page_that_is_merged_takes_nothing_away()
    {
        var map = new DirtyMap(10 * 4096);
        map.MarkRange(0, 2 * 4096);
        byte[] bits = new byte[DirtyMap.PageBytes];
        bits[0] = 0b110;
        map.MergePage(0, bits);
        Assert.Equal([0L, 1L, 2L], Dirty(map));
        Assert.Equal(3, map.DirtyBlocks);
    }

    [Fact]
    public void A_partial_last_block_can_be_marked_and_nothing_beyond_it()
    {
        var map = new DirtyMap(4096 * 3 + 512);
        Assert.Equal(4, map.BlockCount);
        map.MarkRange(4096 * 3, 512);
        Assert.Equal([3L], Dirty(map));
        Assert.Throws<InvariantViolation>(() => map.MarkRange(4096 * 3, 513));
        map.MarkAll();
        Assert.Equal(4, map.DirtyBlocks);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, -1)]
    [InlineData(8 * 4096, 1)]
    [InlineData(long.MaxValue, 4096)]
    [InlineData(4096, long.MaxValue)]
    public void A_range_outside_the_volume_breaks_a_rule(long offset, long lengthBytes)
    {
        var map = new DirtyMap(8 * 4096);
        Assert.Throws<InvariantViolation>(() => map.MarkRange(offset, lengthBytes));
    }

    [Fact]
    public void Marking_what_is_marked_or_clearing_what_is_clear_stores_nothing()
    {
        var map = new DirtyMap(4096L * Page);
        map.ClearBlocks(0, Page);
        Assert.False(map.HasChangedPages);
        map.MarkRange(0, 8192);
        Assert.Equal(0, map.TakeChangedPage());
        map.MarkRange(4096, 4096);
        Assert.False(map.HasChangedPages);
    }

    [Fact]
    public void A_page_that_changes_after_it_was_taken_is_given_again()
    {
        var map = new DirtyMap(4096L * Page * 3);
        map.MarkRange(0, 1);
        map.MarkRange(4096L * Page * 2, 1);
        Assert.Equal(0, map.TakeChangedPage());
        map.MarkRange(4096, 1);
        var rest = new HashSet<int> { map.TakeChangedPage(), map.TakeChangedPage() };
        Assert.Equal([0, 2], rest.Order());
        Assert.Equal(-1, map.TakeChangedPage());
        map.MarkPageChanged(1);
        Assert.True(map.HasChangedPages);
        Assert.Equal(1, map.TakeChangedPage());
    }

    [Fact]
    public void A_range_over_page_borders_changes_each_page_it_touches()
    {
        var map = new DirtyMap(4096L * Page * 130);
        map.MarkRange(4096L * (Page - 1), 4096L * (Page + 2));
        Assert.Equal(Page + 2, map.DirtyBlocks);
        Assert.Equal([0, 1, 2], TakeAll(map));
        map.MarkAll();
        Assert.Equal(129, TakeAll(map).Count); // Page 1 was all dirty before.
    }

    [Fact]
    public void Loaded_bits_beyond_the_volume_are_dropped()
    {
        var bits = new byte[DirtyPageCodec.BitsBytes];
        Array.Fill(bits, (byte)0xff);
        var map = new DirtyMap(4096L * 70);
        map.LoadPage(0, bits);
        Assert.Equal(70, map.DirtyBlocks);
        Assert.Equal(-1, map.NextDirty(70));
        Assert.False(map.HasChangedPages);
        map.CopyPage(0, bits);
        Assert.Equal(70, bits.Sum(b => System.Numerics.BitOperations.PopCount(b)));
    }

    [Fact]
    public void A_page_that_cannot_be_trusted_is_dirty_as_a_whole_and_to_be_stored()
    {
        var map = new DirtyMap(4096L * (Page + 5));
        map.MarkPageDirty(1);
        Assert.Equal(5, map.DirtyBlocks);
        Assert.Equal(Page, map.NextDirty(0));
        Assert.Equal([1], TakeAll(map));
        map.MarkPageDirty(1);
        Assert.Equal([1], TakeAll(map));
    }

    [Fact]
    public void A_far_dirty_block_of_a_huge_volume_is_found()
    {
        var map = new DirtyMap(4L << 40);
        long last = map.BlockCount - 1;
        map.MarkRange(last * 4096, 4096);
        Assert.Equal(last, map.NextDirty(0));
        Assert.Equal(last, map.NextDirty(last));
        Assert.Equal(-1, map.NextDirty(last + 1));
    }

    [Fact]
    public void Merged_maps_hold_both_sets_and_only_pages_with_something_new_are_to_be_stored()
    {
        var map = new DirtyMap(4096L * Page * 3);
        var other = new DirtyMap(4096L * Page * 3);
        map.MarkRange(0, 8192);
        other.MarkRange(4096, 4096);
        other.MarkRange(4096L * Page * 2, 4096);
        TakeAll(map);
        map.Merge(other);
        Assert.Equal([0L, 1L, 2L * Page], Dirty(map));
        Assert.Equal([2], TakeAll(map));
        Assert.Throws<InvariantViolation>(() => map.Merge(new DirtyMap(4096)));
    }

    private static List<long> Dirty(DirtyMap map)
    {
        var blocks = new List<long>();
        for (long block = map.NextDirty(0); block >= 0; block = map.NextDirty(block + 1))
        {
            blocks.Add(block);
        }

        return blocks;
    }

    private static List<int> TakeAll(DirtyMap map)
    {
        var pages = new List<int>();
        for (int page = map.TakeChangedPage(); page >= 0; page = map.TakeChangedPage())
        {
            pages.Add(page);
        }

        pages.Sort();
        return pages;
    }
}
