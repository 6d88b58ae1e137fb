using System.Text;
using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>The text that `mirrorctl dump-metadata` writes and `restore-metadata` reads.</summary>
internal sealed class MetadataDumpTarget : FuzzTarget
{
    public override string Name => "metadata-dump";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Formats/Metadata/MetadataTextParser.cs"];

    public override bool IsText => true;

    public override IReadOnlyList<byte[]> Words => [.. new[]
    {
        "mirrord-metadata", "none", "dirty: 0+1", "dirty: 1+9223372036854775807", "4096", "281474976710656", "was-primary",
        "peer-excluded", "peer-may-have-current", "full-sync-needed", "just-created", "was-ahead", "disconnected", "\\u0041",
        "\\u", "\\", "UpToDate", "Diskless", "ArbiterGrant", "0000000000000001", "\r", "end", "of", "+",
    }.Select(Encoding.UTF8.GetBytes)];

    // A reference for each of the 2 million pages of the largest volume, three times over. No bits.
    public override long MostAllocatedBytes(int inputBytes) => 80L * 1024 * 1024 + 8192L * inputBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Dump(Samples.New, image => { });
        yield return Dump(Samples.Joined, image => image.Mark(3, 20));
        yield return Dump(Samples.Joined with { DataBytes = 200L << 20, VolumeName = "a\\b c" }, image =>
            image.Mark(0, 40_000));
    }

    public override void Run(byte[] input)
    {
        MetadataImage image;
        try
        {
            image = MetadataTextParser.Parse(new StringReader(Encoding.UTF8.GetString(input)));
        }
        catch (FormatException wrong)
        {
            BrokenProperty.Unless(wrong.Message.StartsWith("line ", StringComparison.Ordinal),
                "a mistake is told with its line");
            return;
        }

        string first = Text(image);
        string again = Text(MetadataTextParser.Parse(new StringReader(first)));
        BrokenProperty.UnlessSame(Encoding.UTF8.GetBytes(first), Encoding.UTF8.GetBytes(again));
        byte[] block = new byte[SuperblockCodec.LengthBytes];
        SuperblockCodec.Encode(image.Superblock, block);
        ActivityLogCodec.Encode(block, image.Superblock.VolumeIndex, image.LogSequence, [.. image.ActiveExtents]);
    }

    private static byte[] Dump(Superblock superblock, Action<MetadataImage> mark)
    {
        var image = new MetadataImage(superblock, 7, [1, 4, 9]);
        mark(image);
        return Encoding.UTF8.GetBytes(Text(image));
    }

    private static string Text(MetadataImage image)
    {
        using var text = new StringWriter();
        MetadataText.WriteDump(image, text);
        return text.ToString();
    }
}
