using System.Text.RegularExpressions;
using MirrorD.Core;

namespace MirrorD.Simulator.Tests;

/// <summary>The table of docs/internals/simulation.md names what there is, and nothing that matters is missing from it.</summary>
public partial class SimulationPageTests
{
    private static readonly string[][] Rows =
    [
        .. File.ReadAllLines(Path.Combine(Root(), "docs", "internals", "simulation.md"))
            .SkipWhile(line => !line.StartsWith("| invariant | checker |", StringComparison.Ordinal)).Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries)[1..^1]),
    ];

    [Fact]
    public void Each_invariant_has_its_row() =>
        Assert.Equal(Enumerable.Range(1, 22).Select(number => $"{number}"), Rows.Select(row => row[0]));

    [Fact]
    public void Each_canary_stands_with_one_invariant() => Assert.Equal(
        Canaries.All.Select(rule => rule.ToString()).Order(), Rows.SelectMany(row => Names(row[2])).Order());

    [Fact]
    public void An_invariant_without_canary_says_so() => Assert.All(
        Rows.Where(row => Names(row[2]).Length == 0), row => Assert.True(row[2] is "none yet" or "–", row[0]));

    [Fact]
    public void Each_checker_is_a_class_of_the_simulator()
    {
        string[] classes = [.. typeof(Canaries).Assembly.GetTypes()
            .Where(type => type.Namespace?.StartsWith("MirrorD.Simulator", StringComparison.Ordinal) == true)
            .Select(type => type.Name)];
        Assert.All(Rows.SelectMany(row => Names(row[1])), name => Assert.Contains(name, classes));
    }

    [Fact]
    public void Each_scenario_is_a_test_class()
    {
        string[] files = [.. Directory
            .EnumerateFiles(Path.Combine(Root(), "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path))];
        Assert.All(Rows.SelectMany(row => Names(row[3])), name => Assert.Contains(name, files));
    }

    [Fact]
    public void Each_canary_breaks_something_in_the_product_or_the_world()
    {
        string code = string.Concat(new[] { "src", Path.Combine("tests", "MirrorD.Simulator") }
            .SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(Root(), folder), "*.cs", SearchOption.AllDirectories))
            .Select(File.ReadAllText));
        Assert.All(Canaries.All, rule => Assert.Contains(
            $"Canary.Breaks({nameof(BrokenRule)}.{rule})", code, StringComparison.Ordinal));
    }

    private static string[] Names(string cell) => [.. Name().Matches(cell).Select(match => match.Groups[1].Value)];

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "MirrorD.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("The tests run outside of the repository.");
    }

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex Name();
}
