using System.Reflection;
using System.Text.RegularExpressions;
using CommandLine;
using MirrorD.Api;
using MirrorD.Configuration;
using MirrorD.Control;
using MirrorD.Control.Verbs;
using MirrorD.Daemon.Events;
using MirrorD.Daemon.Metrics;
using MirrorD.Daemon.Reports;
using MirrorD.Engine.Latency;

namespace MirrorD.Daemon.Tests.Docs;

/// <summary>Holds the pages of docs/ to the code.</summary>
public partial class DocsTests
{
    [Fact]
    public void Every_member_of_every_contract_is_documented_and_nothing_else()
    {
        var documented = Sections(Page("api.md")).ToDictionary(
            section => section.Title,
            section => MemberRow().Matches(section.Text).Select(match => match.Groups[1].Value).ToArray());
        Type[] contracts =
        [
            .. typeof(ApiJson).Assembly.GetExportedTypes().Where(
                type => type.IsClass && type.GetMethod("<Clone>$") != null),
        ];

        Assert.Equal(contracts.Select(type => type.Name).Order(), documented.Keys.Order());
        foreach (Type contract in contracts)
        {
            var members = ApiJson.Compact.Options.GetTypeInfo(contract).Properties.Select(
                property => property.Name);
            Assert.Equal(members.Order(), documented[contract.Name].Order());
        }
    }

    [Fact]
    public void Every_kind_of_event_is_documented_with_its_class()
    {
        var documented = ClassRow().Matches(Page("api.md"))
            .SelectMany(row => Regex.Matches(row.Groups[2].Value, "`([a-z-]+)`").Select(
                kind => (Kind: kind.Groups[1].Value, Class: row.Groups[1].Value)))
            .Order();

        Assert.Equal(EventClasses.ByKind.Select(pair => (pair.Key, pair.Value)).Order(), documented);
    }

    [Fact]
    public void Every_path_is_documented()
    {
        string page = Page("api.md");
        foreach (FieldInfo path in typeof(ApiPaths).GetFields().Where(
            field => field.Name != nameof(ApiPaths.DefaultSocket)))
        {
            Assert.Contains((string)path.GetValue(null)!, page);
        }
    }

    [Fact]
    public void Every_metric_is_documented_with_its_type_and_nothing_else() => Assert.Equal(
        KnownMetrics.All.Select(metric => (metric.Name, metric.Type)),
        MetricRow().Matches(Page("operating/monitoring.md")).Select(row => (row.Groups[1].Value, row.Groups[2].Value)));

    [Fact]
    public void The_stages_of_requests_are_those_of_the_code()
    {
        var stages = LoadReports.Of("r", new VolumeLoad("v")).Times.GroupBy(times => times.Stage).Select(times => (
            times.Key,
            string.Join(", ", times.Select(each => each.Operation == "flush" ? "flushes" : each.Operation + "s"))));
        var documented = StageRow().Matches(Page("operating/monitoring.md")).Select(
            row => (row.Groups[1].Value, row.Groups[2].Value.Replace("all", "writes, reads, flushes")));
        Assert.Equal(stages, documented);
    }

    [Fact]
    public void The_examples_of_the_configuration_are_good()
    {
        MatchCollection examples = YamlBlock().Matches(Page("configuration.md"));

        Assert.NotEmpty(examples);
        foreach (Match example in examples)
        {
            Assert.Empty(ConfigurationFile.Parse(("example", example.Groups[1].Value)).Errors);
        }
    }

    [Fact]
    public void Every_command_option_and_exit_code_is_documented()
    {
        string page = Page("commands.md");
        foreach (Type verb in typeof(Verb).Assembly.GetTypes().Where(
            type => type.GetCustomAttribute<VerbAttribute>() is not null))
        {
            Assert.Contains($"| `{verb.GetCustomAttribute<VerbAttribute>()!.Name}", page);
            foreach (PropertyInfo option in verb.GetProperties())
            {
                if (option.GetCustomAttribute<OptionAttribute>() is { } attribute)
                {
                    Assert.Contains($"--{attribute.LongName}", page);
                }
            }
        }

        foreach (FieldInfo code in typeof(ExitCode).GetFields())
        {
            Assert.Contains($"| {code.GetRawConstantValue()} |", page);
        }
    }

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex MemberRow();

    [GeneratedRegex(@"^\| (anomaly|takeover|release|alarm) \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex ClassRow();

    [GeneratedRegex(@"^\| `(mirrord_\w+)` \| (\w+) \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"^\| `([a-z_]+)` \| ((?:writes|all)[a-z, ]*) \|", RegexOptions.Multiline)]
    private static partial Regex StageRow();

    [GeneratedRegex(@"```yaml\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex YamlBlock();

    private static IEnumerable<(string Title, string Text)> Sections(string page) =>
        page.Split("\n### ").Skip(1).Select(section => (section.Split('\n')[0].Trim(), section));

    private static string Page(string name)
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            string candidate = Path.Combine(at, "docs", name);
            if (File.Exists(candidate))
            {
                return File.ReadAllText(candidate);
            }
        }

        throw new FileNotFoundException($"docs/{name} was not found above {AppContext.BaseDirectory}");
    }
}
