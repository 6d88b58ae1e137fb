using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

public class MetadataLayoutTests
{
    [Fact]
    public void The_parts_follow_one_another()
    {
        var layout = new MetadataLayout(1 << 30);
        Assert.Equal(0, MetadataLayout.SuperblockOffset(0));
        Assert.Equal(4096, MetadataLayout.SuperblockOffset(1));
        Assert.Equal(8192, MetadataLayout.LogOffset);
        Assert.Equal(8192 + 64 * 4096, MetadataLayout.PagesOffset);
        Assert.Equal(9, layout.PageCount);
        Assert.Equal(MetadataLayout.PagesOffset + 8 * 4096, layout.PageOffset(8));
        Assert.Equal(layout.PageOffset(8) + 4096, layout.TotalBytes);
        Assert.Equal(MetadataLayout.LogOffset, MetadataLayout.LogSlotOffset(64));
        Assert.Equal(MetadataLayout.LogOffset + 63 * 4096, MetadataLayout.LogSlotOffset(63));
    }

    [Fact]
    public void The_pages_describe_every_block_and_none_is_superfluous()
    {
        const long page = DirtyPageCodec.BlocksPerPage * 4096L;
        Assert.Equal(1, new MetadataLayout(1).PageCount);
        Assert.Equal(1, new MetadataLayout(page).PageCount);
        Assert.Equal(2, new MetadataLayout(page + 1).PageCount);
        Assert.Equal(2, new MetadataLayout(2 * page).PageCount);
        Assert.Equal(3, new MetadataLayout(2 * page + 1).PageCount);
    }

    [Fact]
    public void Internal_metadata_fits_behind_the_largest_data_that_leaves_room_for_it()
    {
        var random = new Random(3);
        for (int i = 0; i < 20000; i++)
        {
            long deviceBytes = MetadataPlacement.MinimumInternalBytes + (i < 10000
                ? i * 512
                : random.NextInt64(1L << random.Next(20, 47)));
            MetadataPlacement placement = MetadataPlacement.Internal(deviceBytes);
            Assert.True(placement.DataBytes > 0 && placement.DataBytes % 4096 == 0);
            Assert.True(placement.MetadataOffset >= placement.DataBytes);
            Assert.Equal(0, placement.MetadataOffset % 4096);
            Assert.Equal(deviceBytes / 4096 * 4096, placement.MetadataOffset + placement.MetadataBytes);
            Assert.Equal(new MetadataLayout(placement.DataBytes).TotalBytes, placement.MetadataBytes);
            long more = placement.DataBytes + 4096;
            Assert.True(more + new MetadataLayout(more).TotalBytes > deviceBytes,
                $"{deviceBytes} wastes a block");
        }
    }

    [Fact]
    public void External_metadata_leaves_the_whole_device_to_data()
    {
        Assert.Equal(new MetadataPlacement(8192, 0, 67 * 4096), MetadataPlacement.External(8192 + 511));
    }

    [Fact]
    public void A_device_that_is_too_small_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(
            () => MetadataPlacement.Internal(MetadataPlacement.MinimumInternalBytes - 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => MetadataPlacement.External(4095));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new MetadataLayout(MetadataLayout.MaximumDataBytes + 1));
    }
}
