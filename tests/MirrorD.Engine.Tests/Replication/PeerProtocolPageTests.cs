using System.Globalization;
using System.Net;
using System.Reflection;
using System.Text.RegularExpressions;
using MirrorD.Core;
using MirrorD.Engine.Control;
using MirrorD.Engine.Replication;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Limits and errors on docs/internals/peer-protocol.md are those of the code.</summary>
public partial class PeerProtocolPageTests
{
    private static readonly string Page = File.ReadAllText(
        Path.Combine(RepositoryRoot(), "docs", "internals", "peer-protocol.md"));

    public static TheoryData<string, string> LimitRows()
    {
        var rows = new TheoryData<string, string>();
        foreach (Match row in Limit().Matches(Page))
        {
            rows.Add(row.Groups[2].Value, row.Groups[1].Value);
        }

        return rows;
    }

    [Fact]
    public void All_limits_are_listed() => Assert.Equal(20, LimitRows().Count());

    [Theory]
    [MemberData(nameof(LimitRows))]
    public void A_limit_has_the_value_that_the_page_says(string where, string value)
    {
        string[] name = where.Split('.');
        long actual = name[0] == nameof(ResourceOptions) ? OfOptions(name[1]) : OfConstant(name[0], name[1]);
        Assert.Equal(Parse(value, name[1]), actual);
    }

    [Fact]
    public void Every_error_on_the_page_is_shown_by_a_test()
    {
        string section = Page[Page.IndexOf("\n## Errors", StringComparison.Ordinal)..];
        string[] listed = [.. Cause().Matches(section).Select(m => m.Groups[1].Value)];
        string[] shown =
        [
            .. LinkTests.Strangers().Select(row => (string)row[1]),
            .. LinkFrameTests.Cases().Select(row => (string)row[1]),
        ];
        Assert.True(listed.Length >= 14, $"{listed.Length} errors");
        Assert.All(listed, cause => Assert.Contains(shown, s => s.Contains(cause)));
    }

    private static long OfConstant(string type, string name)
    {
        Assembly[] assemblies =
            [typeof(PeerFrame).Assembly, typeof(Limits).Assembly, typeof(ReplicatedResource).Assembly];
        Type found = Assert.Single(assemblies.SelectMany(a => a.GetTypes()), t => t.Name == type);
        FieldInfo? field = found.GetField(
            name, BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic);
        Assert.True(field is { IsLiteral: true }, $"{type} has no constant {name}");
        return Convert.ToInt64(field.GetRawConstantValue(), CultureInfo.InvariantCulture);
    }

    private static long OfOptions(string name)
    {
        var endpoint = new TcpEndpoint(IPAddress.Loopback, 1);
        var options = new ResourceOptions
        {
            Name = "r",
            NodeName = "a",
            Node = default,
            Boot = default,
            PeerName = "b",
            Volumes = [],
            Listen = endpoint,
            Connect = endpoint,
            Security = new Testing.SharedSecret(default),
        };
        return Convert.ToInt64(
            typeof(ResourceOptions).GetProperty(name)!.GetValue(options), CultureInfo.InvariantCulture);
    }

    private static long Parse(string value, string name)
    {
        string[] words = value.Split(' ');
        long number = long.Parse(words[0], CultureInfo.InvariantCulture);
        long milliseconds = name.EndsWith("Ms", StringComparison.Ordinal) ? 1 : 1_000_000;
        return words.Length == 1 ? number : words[1] switch
        {
            "KiB" => number << 10,
            "GiB" => number << 30,
            "ms" => number * milliseconds,
            "s" => number * 1000 * milliseconds,
            _ => throw new ArgumentException($"a unit of the page: {value}"),
        };
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

    [GeneratedRegex(@"^\| [^|]+ \| ([0-9][^|]*) \| `(\w+\.\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Limit();

    [GeneratedRegex(@"^\| `([^`]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Cause();
}
