using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>A superblock slot; the zeroes at its end are left out of the input.</summary>
internal sealed class SuperblockTarget : FuzzTarget
{
    public override string Name => "superblock";

    public override IReadOnlyList<string> Files =>
    [
        "src/MirrorD.Formats/Metadata/SuperblockCodec.Decode.cs", "src/MirrorD.Formats/Metadata/SuperblockCodec.cs",
        "src/MirrorD.Formats/Metadata/MetadataBlock.cs", "src/MirrorD.Formats/Crc32C.cs",
    ];

    public override IReadOnlyList<byte[]> Words => ["MRDSUPER"u8.ToArray()];

    public override IReadOnlyList<int> Fields => [.. SuperblockCodec.Fields.Select(each => each.Offset)];

    public override int MostBytes => SuperblockCodec.LengthBytes;

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Bytes.Trimmed(Samples.Superblock(Samples.New));
        yield return [];
        yield return Bytes.Trimmed(Samples.Superblock(Samples.Joined));
        Generation[] full = [.. Enumerable.Range(1, SuperblockCodec.MaximumHistory).Select(i => new Generation((ulong)i))];
        yield return Bytes.Trimmed(Samples.Superblock(Samples.Joined with { History = full }));
    }

    public override byte[] FixUp(byte[] input) => Bytes.Trimmed(Samples.Sealed(input));

    public override void Run(byte[] input)
    {
        if (input.Length < 4)
        {
            CheckLength(input);
        }

        byte[] block = Bytes.Padded(input, SuperblockCodec.LengthBytes);
        SuperblockReading reading = SuperblockCodec.TryDecode(block);
        BrokenProperty.Unless(
            reading.Superblock is null != (reading.Error == MetadataError.None), "a superblock, or why there is none");
        BrokenProperty.Unless(
            reading.Field is null || reading.Error == MetadataError.FieldOutOfRange,
                "a field is named when it is out of range");
        if (reading.Superblock is { } superblock)
        {
            BrokenProperty.UnlessSame(block, Samples.Superblock(superblock));
        }
    }

    private static void CheckLength(byte[] block)
    {
        bool isRefused = false;
        try
        {
            _ = SuperblockCodec.TryDecode(block);
        }
        catch (ArgumentException)
        {
            isRefused = true;
        }

        BrokenProperty.Unless(isRefused, "a block has its length");
    }
}
