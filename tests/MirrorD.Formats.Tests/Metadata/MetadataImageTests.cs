using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

/// <summary>What a superblock says of its size is believed before anything else is known: it must not cost memory by itself.</summary>
public class MetadataImageTests
{
    private const long MostAllocatedBytes = 128L << 20;

    [Fact]
    public void The_largest_volume_can_be_all_dirty_in_little_memory()
    {
        MetadataImage image = Image(MetadataLayout.MaximumDataBytes);
        long before = GC.GetAllocatedBytesForCurrentThread();

        image.Mark(0, image.BlockCount);

        Assert.Equal(image.BlockCount, image.DirtyBlocks);
        Assert.Equal([(0, image.BlockCount)], image.DirtyRuns());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocatedBytes);
    }

    [Fact]
    public void Metadata_that_ends_early_is_all_dirty_in_little_memory()
    {
        byte[] superblock = new byte[SuperblockCodec.LengthBytes];
        SuperblockCodec.Encode(SampleMetadata.Superblock with { DataBytes = MetadataLayout.MaximumDataBytes }, superblock);
        long before = GC.GetAllocatedBytesForCurrentThread();

        MetadataInspection inspection = MetadataInspector.Inspect((offset, into) =>
        {
            superblock.CopyTo(into);
            return offset == 0;
        });

        Assert.Equal(inspection.Image!.BlockCount, inspection.Image.DirtyBlocks);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocatedBytes);
    }

    [Fact]
    public void Runs_across_whole_pages_are_those_that_were_marked()
    {
        const long Page = DirtyPageCodec.BlocksPerPage;
        MetadataImage image = Image(5 * Page * MetadataLayout.BlockBytes + MetadataLayout.BlockBytes);
        image.Mark(Page + 7, 3);
        image.Mark(Page - 1, 2 * Page + 3);
        image.Mark(Page, Page);
        image.Mark(5 * Page, 1);

        Assert.Equal([(Page - 1, 2 * Page + 3), (5 * Page, 1)], image.DirtyRuns());
        Assert.Equal(2 * Page + 4, image.DirtyBlocks);
    }

    private static MetadataImage Image(long dataBytes) =>
        new(SampleMetadata.Superblock with { DataBytes = dataBytes }, 1, []);
}
