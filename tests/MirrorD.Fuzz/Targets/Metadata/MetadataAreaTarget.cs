using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>
/// A whole metadata area as the inspector reads it: two superblock slots, the ring, and pages. What lies behind the places
/// of the input can't be read, as at the end of a device.
/// </summary>
internal sealed class MetadataAreaTarget : FuzzTarget
{
    private const int FirstPage = MetadataLayout.SuperblockSlots + MetadataLayout.LogSlots;
    private const int Places = FirstPage + 4;

    private readonly byte[][] _area = [.. Enumerable.Range(0, Places).Select(_ => new byte[MetadataLayout.BlockBytes])];

    public override string Name => "metadata-area";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Formats/Metadata/MetadataInspector.cs", "src/MirrorD.Formats/Metadata/MetadataImage.cs",
        "src/MirrorD.Formats/Metadata/MetadataText.cs",
    ];

    public override IReadOnlyList<byte[]> Words =>
        ["MRDSUPER"u8.ToArray(), "MRDACTLG"u8.ToArray(), "MRDDIRTY"u8.ToArray()];

    public override IReadOnlyList<int> Fields => [0, 1, .. SuperblockCodec.Fields.Select(each => 3 + each.Offset)];

    private const long LargeBytes = 1L << 40;

    // 2 million pages of the largest volume: a reference and a damaged page's number for each. No bits.
    public override long MostAllocatedBytes(int inputBytes) => 96L * 1024 * 1024 + 256L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        byte[] log = Samples.Transaction(1, 2, 5);
        yield return Blocks.Write(
            [(0, Samples.Superblock(Samples.New)), (1, Samples.Superblock(Samples.New)), (3, log),
                (FirstPage, Samples.Page(0, 0x13))]);
        yield return Blocks.Write(
            [(0, Samples.Superblock(Samples.Joined)), (3, log), (FirstPage, Samples.Page(0, 0xff, 0xff, 1))]);
        yield return Blocks.Write([(1, Samples.Superblock(Samples.Joined)), (FirstPage, [1])]);
        byte[] two = Samples.Superblock(Samples.Joined with { DataBytes = 200L << 20 });
        yield return Blocks.Write(
            [(0, two), (3, log), (FirstPage, Samples.Page(0, 0x80)), (FirstPage + 1, Samples.Page(1, 1))]);
        yield return Blocks.Write([(0, Samples.Superblock(Samples.Joined with { DataBytes = 4096 })), (3, log)]);
    }

    public override byte[] FixUp(byte[] input) => Blocks.Write(Blocks.Read(input, Places), seal: true);

    public override void Run(byte[] input)
    {
        Array.ForEach(_area, block => block.AsSpan().Clear());
        foreach ((int place, byte[] bytes) in Blocks.Read(input, Places))
        {
            bytes.CopyTo(_area[place], 0);
        }

        MetadataInspection inspection = MetadataInspector.Inspect(Read);
        if (inspection.Image is not { } image)
        {
            MetadataText.WriteReport(inspection, TextWriter.Null);
            return;
        }

        BrokenProperty.Unless(image.DirtyBlocks >= 0 && image.DirtyBlocks <= image.BlockCount,
            "dirty blocks lie inside the volume");
        BrokenProperty.Unless(image.DirtyRuns().Sum(run => run.Count) == image.DirtyBlocks, "the runs are the dirty blocks");
        BrokenProperty.Unless(
            inspection.Log!.IsTrusted || image.DirtyBlocks == image.BlockCount, "without the log everything is dirty");
        if (image.Superblock.DataBytes > LargeBytes)
        {
            return;
        }

        MetadataText.WriteReport(inspection, TextWriter.Null);
        var restored = new Dictionary<long, byte[]>();
        image.WriteTo((offset, bytes) => restored[offset] = bytes.ToArray(), () => { });
        using var dump = new StringWriter();
        MetadataText.WriteDump(image, dump);
        MetadataImage again = MetadataTextParser.Parse(new StringReader(dump.ToString()));
        BrokenProperty.Unless(again.Superblock.ResourceName == image.Superblock.ResourceName
            && again.DirtyBlocks == image.DirtyBlocks, "a dump is read back as it was");
    }

    private bool Read(long offset, Span<byte> into)
    {
        long place = offset / MetadataLayout.BlockBytes;
        if (place >= Places)
        {
            return false;
        }

        _area[place].CopyTo(into);
        return true;
    }
}
