using System.Text.RegularExpressions;
using MirrorD.Core;

namespace MirrorD.Engine.Tests;

/// <summary>Each sentence of docs/concepts/guarantees.md names a test that exists, and canaries that do.</summary>
public partial class GuaranteesPageTests
{
    private static readonly string Root = RepositoryRoot();

    private static readonly string Page = File.ReadAllText(Path.Combine(Root, "docs", "concepts", "guarantees.md"));

    [Fact]
    public void Each_sentence_names_its_test()
    {
        string[] sentences = [.. Sentence().Matches(Page).Select(match => match.Value)];
        Assert.True(sentences.Length >= 12, $"{sentences.Length} sentences");
        Assert.All(sentences, sentence => Assert.Matches(Test(), sentence));
    }

    [Fact]
    public void Each_test_that_is_named_exists()
    {
        Dictionary<string, string> sources = Directory
            .EnumerateFiles(Path.Combine(Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .GroupBy(path => Path.GetFileNameWithoutExtension(path))
            .ToDictionary(files => files.Key, files => string.Concat(files.Select(File.ReadAllText)));
        (string Class, string Method)[] named =
            [.. Test().Matches(Page).Select(match => (match.Groups[1].Value, match.Groups[2].Value))];
        Assert.All(named, test => Assert.True(
            sources.TryGetValue(test.Class, out string? source) && source.Contains($"public void {test.Method}("),
            $"{test.Class}.{test.Method}"));
    }

    [Fact]
    public void Each_canary_that_is_named_exists() => Assert.All(
        Canary().Matches(Page), match => Assert.Contains(match.Groups[1].Value, Enum.GetNames<BrokenRule>()));

    [Fact]
    public void Each_row_of_the_table_names_its_test() => Assert.All(
        Row().Matches(Page).Skip(2).Select(match => match.Value), row => Assert.Matches(Test(), row));

    [Fact]
    public void The_table_has_a_column_for_each_mode() =>
        Assert.Contains("| failure | `sync` | `memory` | `async` | shown by |", Page);

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

    [GeneratedRegex(@"^- .*(?:\n  .*)*", RegexOptions.Multiline)]
    private static partial Regex Sentence();

    [GeneratedRegex(@"^\|.*\|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Test();

    [GeneratedRegex(@"canary\s+`(\w+)`")]
    private static partial Regex Canary();
}
