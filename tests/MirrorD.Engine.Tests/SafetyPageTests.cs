using System.Text.RegularExpressions;

namespace MirrorD.Engine.Tests;

/// <summary>Whatever code and tests cite of the safety contract is on docs/internals/safety.md.</summary>
public partial class SafetyPageTests
{
    private static readonly string Page = File.ReadAllText(
        Path.Combine(RepositoryRoot(), "docs", "internals", "safety.md"));

    [Fact]
    public void The_sections_are_numbered_1_to_7() => Assert.Equal(Enumerable.Range(1, 7), Sections());

    [Fact]
    public void The_invariants_are_numbered_1_to_22() =>
        Assert.Equal(Enumerable.Range(1, 22), ItemsOf(7));

    [Fact]
    public void Each_cited_section_exists() => AllExist(CitedSection(), Sections());

    [Fact]
    public void Each_cited_rule_exists() => AllExist(CitedRule(), ItemsOf(2));

    [Fact]
    public void Each_cited_invariant_exists() => AllExist(CitedInvariant(), ItemsOf(7));

    private static void AllExist(Regex citation, int[] onPage)
    {
        (string Where, int Number)[] cited =
        [
            .. Sources().SelectMany(source => citation.Matches(source.Text).SelectMany(match =>
                Number().Matches(InParentheses().Replace(match.Value, ""))
                    .Select(number => ($"{source.Path}: {match.Value}", int.Parse(number.Value))))),
        ];
        Assert.NotEmpty(cited);
        Assert.All(cited, one => Assert.True(onPage.Contains(one.Number), one.Where));
    }

    private static int[] Sections() => [.. Section().Matches(Page).Select(m => int.Parse(m.Groups[1].Value))];

    private static int[] ItemsOf(int section)
    {
        string text = Page[Page.IndexOf($"## {section}.", StringComparison.Ordinal)..];
        int end = text.IndexOf("\n## ", StringComparison.Ordinal);
        return [.. Item().Matches(end < 0 ? text : text[..end]).Select(m => int.Parse(m.Groups[1].Value))];
    }

    /// <summary>All C# files but this one; comments that go on in the next line are joined.</summary>
    private static IEnumerable<(string Path, string Text)> Sources() =>
        from folder in new[] { "src", "tests" }
        from path in Directory.EnumerateFiles(
            Path.Combine(RepositoryRoot(), folder), "*.cs", SearchOption.AllDirectories)
        where !Generated().IsMatch(path) && Path.GetFileName(path) != $"{nameof(SafetyPageTests)}.cs"
        select (path, NextLineOfComment().Replace(File.ReadAllText(path), " "));

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

    [GeneratedRegex(@"^## (\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex Section();

    [GeneratedRegex(@"^(\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex Item();

    // With a dot in the number it is a section of an RFC or another standard.
    [GeneratedRegex(@"\b[Ss]ections? \d+\b(?!\.\d)(?: \([^)]*\))?(?:(?:, | and )\d+\b(?: \([^)]*\))?)*")]
    private static partial Regex CitedSection();

    [GeneratedRegex(@"\brules? \d+\b(?:(?:, | and )\d+\b)*")]
    private static partial Regex CitedRule();

    [GeneratedRegex(@"\b[Ii]nvariants? \d+\b(?:(?:, | and )\d+\b)*|\bI-\d+\b")]
    private static partial Regex CitedInvariant();

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex InParentheses();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Number();

    [GeneratedRegex(@"\r?\n[ \t]*///? ?")]
    private static partial Regex NextLineOfComment();

    [GeneratedRegex(@"[/\\](obj|bin)[/\\]")]
    private static partial Regex Generated();
}
