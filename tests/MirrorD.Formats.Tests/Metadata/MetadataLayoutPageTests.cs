using System.Text;
using System.Text.RegularExpressions;
using MirrorD.Formats.Metadata;

namespace MirrorD.Formats.Tests.Metadata;

/// <summary>
/// docs/internals/metadata-layout.md and the codecs hold each other: its tables are the codecs' fields, its
/// examples are the golden bytes.
/// </summary>
public partial class MetadataLayoutPageTests
{
    private static readonly string Page = File.ReadAllText(
        Path.Combine(RepositoryRoot(), "docs", "internals", "metadata-layout.md"));

    public static TheoryData<string> Blocks() => ["Superblock", "Activity log", "Dirty map"];

    [Theory]
    [MemberData(nameof(Blocks))]
    public void The_table_of_a_block_lists_the_fields_of_its_codec(string title)
    {
        IEnumerable<MetadataField> listed = TableRow().Matches(Section(title))
            .Select(m => new MetadataField(
                int.Parse(m.Groups[1].Value), int.Parse(m.Groups[2].Value), m.Groups[3].Value));
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
        var listed = new StringBuilder();
        foreach (Match line in HexLine().Matches(Section(title)))
        {
            listed.Append(line.Value).Append('\n');
        }

        Assert.Equal(Dump(block), listed.ToString());
    }

    [Fact]
    public void The_places_on_the_page_are_those_of_the_layout()
    {
        string section = Section("Places");
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

    private static string Section(string title)
    {
        string[] sections = Page.Split("\n## ");
        return Assert.Single(sections, s => s.StartsWith(title + "\n", StringComparison.Ordinal));
    }

    private static string RepositoryRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MirrorD.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }

    [GeneratedRegex(@"^\| (\d+) \| (\d+) \| ([a-z-]+) \|", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex(@"^[0-9a-f]{4}:( [0-9a-f]{8}){4}$", RegexOptions.Multiline)]
    private static partial Regex HexLine();
}
