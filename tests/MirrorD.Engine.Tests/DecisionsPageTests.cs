using System.Text.RegularExpressions;

namespace MirrorD.Engine.Tests;

/// <summary>docs/internals/decisions.md names the code that carries each decision.</summary>
public partial class DecisionsPageTests
{
    private static readonly string Page = File.ReadAllText(
        Path.Combine(RepositoryRoot(), "docs", "internals", "decisions.md"));

    [Fact]
    public void Each_decision_names_types_that_exist()
    {
        string[] types =
        [
            .. Directory.EnumerateFiles(
                    Path.Combine(RepositoryRoot(), "src"), "*.cs", SearchOption.AllDirectories)
                .SelectMany(path => Type().Matches(File.ReadAllText(path)).Select(m => m.Groups[1].Value)),
        ];
        string[] named =
        [
            .. Where().Matches(Page).SelectMany(m => Name().Matches(m.Value)).Select(m => m.Groups[1].Value),
        ];
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, types));
    }

    [Fact]
    public void Each_decision_says_where_it_lives() =>
        Assert.Equal(Decision().Count(Page), Where().Count(Page));

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

    [GeneratedRegex("^Where: .*$", RegexOptions.Multiline)]
    private static partial Regex Where();

    [GeneratedRegex(@"^(?!\s*//).*\b(?:class|record|struct|enum|interface) ([A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex Type();

    [GeneratedRegex("`([A-Za-z0-9]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"^\*\*", RegexOptions.Multiline)]
    private static partial Regex Decision();
}
