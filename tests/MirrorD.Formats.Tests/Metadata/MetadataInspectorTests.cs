using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

public class MetadataInspectorTests
{
    [Fact]
    public void The_report_of_an_intact_area_is_stable_text() => Assert.Equal(
        """
        superblock-0: intact sequence=72623859790382856
        superblock-1: intact sequence=72623859790382856
        activity-log: intact damaged-slots=0
        dirty-map: damaged-pages=none
        sequence: 72623859790382856
        resource-name: mail
        resource-id: 00112233-4455-6677-8899-aabbccddeeff
        volume-name: spool
        volume-index: 1
        node: a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf
        peer: b0b1b2b3-b4b5-b6b7-b8b9-babbbcbdbebf
        peer-boot: c0c1c2c3-c4c5-c6c7-c8c9-cacbcccdcecf
        data-bytes: 1073741824
        block-bytes: 4096
        extent-bytes: 4194304
        disk-state: UpToDate
        peer-disk-state: Outdated
        current: 1111111111111111
        bitmap: 2222222222222222
        history: 3333333333333333 4444444444444444
        session: 5555555555555555
        promotions: 7
        peer-sequence: 9
        proof: ArbiterGrant
        proof-session: 5555555555555555
        resync-from: 6666666666666666
        creation-source: Peer
        flags: peer-excluded was-primary
        log-sequence: 66
        active-extents: 0 1 17
        dirty-blocks: 12 of 262144

        """,
        Report(Area(Sample())));

    [Fact]
    public void A_dump_ends_with_the_runs_of_dirty_blocks() => Assert.EndsWith(
        """
        dirty-blocks: 12 of 262144
        dirty: 0+1
        dirty: 7+2
        dirty: 32510+6
        dirty: 262141+3
        end: mirrord-metadata

        """,
        Dump(Sample()));

    [Fact]
    public void A_dump_that_is_restored_gives_the_same_area()
    {
        var random = new Random(8);
        foreach (string name in (string[])["mail", "a\nb", "größe \\u0041", "x: y", "\u0001\u2028"])
        {
            var image = new MetadataImage(
                SampleMetadata.Superblock with
                {
                    ResourceName = name,
                    VolumeName = name,
                    DataBytes = 4096L * random.Next(1, 200_000),
                    History = [],
                    FullSyncNeeded = true,
                },
                (ulong)random.Next(1, 1000),
                [.. Enumerable.Range(3, random.Next(1008)).Select(i => (uint)i)]);
            for (int i = 0; i < 200; i++)
            {
                long first = random.NextInt64(image.BlockCount);
                image.Mark(first, 1 + random.NextInt64(Math.Min(100, image.BlockCount - first)));
            }

            string dump = Dump(image);
            MetadataImage restored = MetadataTextParser.Parse(new StringReader(dump));
            Assert.Equal(dump, Dump(restored));
            Assert.Equal(Area(image), Area(restored));
            Assert.Equal(dump, Dump(Inspect(Area(restored)).Image!));
        }
    }

    [Fact]
    public void A_whole_volume_that_is_dirty_is_one_run()
    {
        var image = new MetadataImage(SampleMetadata.Superblock with { DataBytes = 4096L * 100_003 }, 1, []);
        image.Mark(0, image.BlockCount);
        Assert.Equal([(0, 100_003)], image.DirtyRuns());
        Assert.Equal(100_003, Inspect(Area(image)).Image!.DirtyBlocks);
    }

    [Fact]
    public void Damage_is_reported_and_counts_as_the_daemon_counts_it()
    {
        byte[] area = Area(Sample());
        area[100] ^= 1;
        area[MetadataLayout.PagesOffset + 4096 + 50] ^= 1;
        MetadataInspection found = Inspect(area);
        Assert.Equal([1], found.DamagedPages);
        Assert.Equal(12 - 4 + DirtyPageCodec.BlocksPerPage, found.Image!.DirtyBlocks);
        Assert.StartsWith(
            """
            superblock-0: damaged (checksum)
            superblock-1: intact sequence=72623859790382856
            activity-log: intact damaged-slots=0
            dirty-map: damaged-pages=1

            """,
            Report(area));

        area[MetadataLayout.LogSlotOffset(66) + 20] ^= 1;
        Assert.Contains("activity-log: not trusted, everything counts as dirty damaged-slots=1",
            Report(area));
        Assert.Equal(found.Image.BlockCount, Inspect(area).Image!.DirtyBlocks);
    }

    [Fact]
    public void Without_an_intact_superblock_only_the_slots_are_reported()
    {
        Assert.Equal("superblock-0: empty\nsuperblock-1: empty\n", Report(new byte[1 << 20]));
        byte[] area = Area(Sample());
        area[0] ^= 1;
        area[4096 + 4095] ^= 1;
        Assert.Equal("superblock-0: no superblock\nsuperblock-1: damaged (checksum)\n", Report(area));
        Assert.Null(Inspect(area).Image);
    }

    [Fact]
    public void What_can_not_be_read_counts_as_damaged()
    {
        byte[] area = Area(Sample());
        MetadataInspection found = MetadataInspector.Inspect((offset, into) =>
        {
            area.AsSpan((int)offset, into.Length).CopyTo(into);
            return offset is not 0 && offset != MetadataLayout.PagesOffset;
        });
        Assert.Null(found.Slots[0].Superblock);
        Assert.Equal([0], found.DamagedPages);
    }

    [Fact]
    public void The_higher_sequence_counts()
    {
        byte[] area = Area(Sample());
        SuperblockCodec.Encode(SampleMetadata.Superblock with { Sequence = 5, Promotions = 99 },
            area.AsSpan(0, 4096));
        Assert.Equal(7UL, Inspect(area).Image!.Superblock.Promotions);
        SuperblockCodec.Encode(SampleMetadata.Superblock with { Sequence = 5 }, area.AsSpan(4096, 4096));
        Assert.Equal(99UL, Inspect(area).Image!.Superblock.Promotions);
    }

    [Fact]
    public void An_interrupted_restore_leaves_no_metadata_or_all_of_it()
    {
        byte[] old = Area(new MetadataImage(SampleMetadata.Superblock with { Promotions = 1 }, 9, [5]));
        byte[] complete = Area(Sample());
        for (int writes = 0; writes < 100; writes++)
        {
            byte[] area = [.. old];
            int left = writes;
            Sample().WriteTo(
                (offset, bytes) =>
                {
                    if (left-- > 0)
                    {
                        bytes.CopyTo(area.AsSpan((int)offset));
                    }
                },
                () => { });
            if (Inspect(area).Image is { Superblock.Promotions: not 1 })
            {
                Assert.Equal(complete[8192..], area[8192..]);
            }
        }
    }

    internal static MetadataImage Sample()
    {
        var image = new MetadataImage(SampleMetadata.Superblock, SampleMetadata.LogSequence, [0, 1, 17]);
        image.Mark(0, 1);
        image.Mark(7, 2);
        image.Mark(32510, 6);
        image.Mark(262141, 3);
        return image;
    }

    internal static string Dump(MetadataImage image)
    {
        var text = new StringWriter { NewLine = "\n" };
        MetadataText.WriteDump(image, text);
        return text.ToString();
    }

    private static byte[] Area(MetadataImage image)
    {
        var area = new byte[image.Layout.TotalBytes];
        image.WriteTo((offset, bytes) => bytes.CopyTo(area.AsSpan((int)offset)), () => { });
        return area;
    }

    private static MetadataInspection Inspect(byte[] area) => MetadataInspector.Inspect((offset, into) =>
    {
        area.AsSpan((int)offset, into.Length).CopyTo(into);
        return true;
    });

    private static string Report(byte[] area)
    {
        var text = new StringWriter { NewLine = "\n" };
        MetadataText.WriteReport(Inspect(area), text);
        return text.ToString();
    }
}
