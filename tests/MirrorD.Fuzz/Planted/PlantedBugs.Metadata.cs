namespace MirrorD.Fuzz.Planted;

/// <summary>Bugs in what a disk or a dump of its metadata says.</summary>
public static partial class PlantedBugs
{
    private const string Block = "src/MirrorD.Formats/Metadata/MetadataBlock.cs";
    private const string SuperblockDecode = "src/MirrorD.Formats/Metadata/SuperblockCodec.Decode.cs";
    private const string Log = "src/MirrorD.Formats/Metadata/ActivityLogCodec.cs";
    private const string Page = "src/MirrorD.Formats/Metadata/DirtyPageCodec.cs";
    private const string Image = "src/MirrorD.Formats/Metadata/MetadataImage.cs";
    private const string Dump = "src/MirrorD.Formats/Metadata/MetadataTextParser.cs";

    private static PlantedBug[] Metadata =>
    [
        new("superblock", SuperblockDecode,
            "if (historyCount > MaximumHistory)", "if (historyCount > MaximumHistory + 1)",
                "off by one in the count of generations"),
        new("superblock", SuperblockDecode,
            "if ((flags & ~AllFlags) != 0 || !MetadataBlock", "if (!MetadataBlock", "unknown flags are accepted"),
        new("superblock", SuperblockDecode,
            "if (length <= 0 || !MetadataBlock.IsZero(padded[length..]))", "if (length <= 0)",
                "bytes behind the end of a name are ignored"),
        new("activity-log", Log,
            "if (found > MaximumExtents || number == 0)", "if (found > LengthBytes / sizeof(uint) || number == 0)",
            "the header is forgotten in the most extents that fit"),
        new("activity-log", Log,
            "if (i > 0 && extent <= extents[i - 1])", "if (i > 0 && extent < extents[i - 1])",
                "an extent may stand there twice"),
        new("activity-log", Log,
            " || !MetadataBlock.IsZero(block[end..])", "", "bytes behind the last extent are ignored"),
        new("dirty-page", Block, "IsZero(block[14..HeaderBytes])", "IsZero(block[15..HeaderBytes])",
            "a reserved byte not checked"),
        new("dirty-page", Page,
            "IsZero(page[ReservedAt..HeaderBytes])", "IsZero(page[(ReservedAt + 4)..HeaderBytes])",
                "reserved bytes not checked"),
        new("dirty-page", Page, "!= pageIndex", "> pageIndex", "a page of another place is accepted"),
        new("metadata-area", Image,
            "Math.Min(first + DirtyPageCodec.BlocksPerPage, BlockCount);", "first + DirtyPageCodec.BlocksPerPage;",
            "bits beyond the volume are marked"),
        new("metadata-area", "src/MirrorD.Formats/Metadata/MetadataInspector.cs",
            "Math.Min(DirtyPageCodec.BlocksPerPage, image.BlockCount - first)", "DirtyPageCodec.BlocksPerPage",
            "the last page is taken for a whole one when it is damaged"),
        new("metadata-area", Image,
            "yield return (first, BlockCount - first);", "yield return (first, BlockCount - first - 1);",
            "a run that reaches the end of the volume is one block short"),
        new("metadata-dump", Dump, "if (i + 6 > text.Length", "if (i + 5 > text.Length",
            "off by one at the end of an escaped name"),
        new("metadata-dump", Dump,
            "if (count <= 0 || first >= image.BlockCount || count > image.BlockCount - first)",
            "if (count <= 0 || first + count > image.BlockCount)", "end of a run overflows"),
        new("metadata-dump", Dump,
            "extents[i] <= extents[i - 1]", "extents[i] < extents[i - 1]", "an extent may stand there twice"),
    ];
}
