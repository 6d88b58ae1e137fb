using MirrorD.Formats.Metadata;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets.Metadata;

/// <summary>
/// A page of the dirty map, expected as page 3 of volume 0; the zeroes at its end are left out of the input.
/// </summary>
internal sealed class DirtyPageTarget : FuzzTarget
{
    private const int Place = 3;

    public override string Name => "dirty-page";

    public override IReadOnlyList<string> Files => ["src/MirrorD.Formats/Metadata/DirtyPageCodec.cs"];

    public override IReadOnlyList<byte[]> Words => ["MRDDIRTY"u8.ToArray()];

    public override IReadOnlyList<int> Fields => [.. DirtyPageCodec.Fields.Select(each => each.Offset)];

    public override IEnumerable<byte[]> Seeds()
    {
        yield return Bytes.Trimmed(Samples.Page(Place));
        yield return Bytes.Trimmed(Samples.Page(Place, 0xff, 0, 0x81));
        yield return Bytes.Trimmed(Samples.Page(Place + 1, 1));
    }

    public override byte[] FixUp(byte[] input) => Bytes.Trimmed(Samples.Sealed(input));

    public override void Run(byte[] input)
    {
        byte[] page = Bytes.Padded(input, DirtyPageCodec.LengthBytes);
        MetadataError error = DirtyPageCodec.Decode(page, Place, 0, out ReadOnlySpan<byte> bits);
        if (error != MetadataError.None)
        {
            BrokenProperty.Unless(bits.IsEmpty, "no bits of a page that is not accepted");
            return;
        }

        BrokenProperty.Unless(bits.Length == DirtyPageCodec.BitsBytes, "all bits of a page");
        BrokenProperty.UnlessSame(page, Samples.Page(Place, bits.ToArray()));
    }
}
