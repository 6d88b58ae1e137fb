using System.Text;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

/// <summary>
/// docs/internals/metadata-layout.md and the codecs hold each other: its tables are the codecs' fields, its
/// examples are the golden bytes.
/// </summary>
public class MetadataLayoutPageTests
{
    private static readonly FormatPage s_page = new("metadata-layout.md");

    public static TheoryData<string> Blocks() => ["Superblock", "Activity log", "Dirty map"];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_table_of_a_block_lists_the_fields_of_its_codec(string title)
    {
        IEnumerable<MetadataField> listed = s_page.Fields("## " + title)
            .Select(field => new MetadataField(field.Offset, field.Bytes, field.Name));
        Assert.Equal(title switch
        {
            "Superblock" => SuperblockCodec.Fields,
            "Activity log" => ActivityLogCodec.Fields,
            _ => DirtyPageCodec.Fields,
        }, listed);
    }

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_golden_bytes_of_a_block_are_what_its_codec_writes(string title)
    {
        byte[] block = title switch
        {
            "Superblock" => SampleMetadata.SuperblockBytes(),
            "Activity log" => SampleMetadata.TransactionBytes(),
            _ => SampleMetadata.PageBytes(),
        };
        Assert.Equal(Dump(block), string.Concat(s_page.HexLines("## " + title).Select(line => line + "\n")));
    }

    [Fact]
    public void The_places_on_the_page_are_those_of_the_layout()
    {
        string section = s_page.Section("## Places");
        Assert.Contains($"| 0 | {MetadataLayout.SuperblockSlots} | superblock", section);
        Assert.Contains($"| {MetadataLayout.LogOffset} | {MetadataLayout.LogSlots} | activity log", section);
        Assert.Contains($"| {MetadataLayout.PagesOffset} | n | dirty map", section);
        Assert.Contains($"{DirtyPageCodec.BlocksPerPage} blocks", section);
        Assert.Contains($"{MetadataPlacement.MinimumInternalBytes} bytes", section);
    }

    /// <summary>Offset and bytes of each line of 16 that holds something.</summary>
    private static string Dump(byte[] block)
    {
        var text = new StringBuilder();
        for (int at = 0; at < block.Length; at += 16)
        {
            ReadOnlySpan<byte> line = block.AsSpan(at, 16);
            if (line.ContainsAnyExcept((byte)0))
            {
                text.Append($"{at:x4}:");
                for (int i = 0; i < 16; i += 4)
                {
                    text.Append(' ').Append(Convert.ToHexStringLower(line.Slice(i, 4)));
                }

                text.Append('\n');
            }
        }

        return text.ToString();
    }
}
