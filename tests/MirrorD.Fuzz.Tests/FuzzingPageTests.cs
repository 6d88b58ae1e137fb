using System.Text.RegularExpressions;
using MirrorD.Fuzz.Running;
using MirrorD.Fuzz.Targets;

namespace MirrorD.Fuzz.Tests;

/// <summary>docs/internals/fuzzing.md names the parsers, and the targets name the same.</summary>
public partial class FuzzingPageTests
{
    [Fact]
    public void Every_parser_of_the_page_is_there_and_has_the_target_that_the_page_says()
    {
        (string File, string Target)[] rows =
            [.. Row().Matches(Page()).Select(row => (row.Groups[1].Value, row.Groups[2].Value))];
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
            Assert.True(File.Exists(Path.Combine(Places.Root, "src", row.File)), $"src/{row.File} is not there"));
        Assert.Equal(
            AllTargets.List.SelectMany(target => target.Files.Select(file => (file["src/".Length..], target.Name))).Order(),
            rows.Order());
    }

    [Fact]
    public void Every_codec_and_parser_of_the_formats_is_on_the_page()
    {
        string page = Page();
        string formats = Path.Combine(Places.Root, "src", "MirrorD.Formats");
        foreach (string file in Directory.GetFiles(formats, "*.cs", SearchOption.AllDirectories))
        {
            string name = Path.GetFileName(file);
            if (!file.Contains("/obj/", StringComparison.Ordinal) && Parser().IsMatch(File.ReadAllText(file)))
            {
                Assert.True(page.Contains(name, StringComparison.Ordinal),
                    $"{name} reads bytes, and docs/internals/fuzzing.md does not know it");
            }
        }
    }

    private static string Page() => File.ReadAllText(Path.Combine(Places.Root, "docs", "internals", "fuzzing.md"));

    [GeneratedRegex(@"^\| `(MirrorD\.[^`]+\.cs)` \| `([a-z-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"(public|internal) static [^(]*\b(TryDecode|Decode|Parse|Read|Recover|Inspect)\(")]
    private static partial Regex Parser();
}
