using System.Globalization;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Benchmarks.Results;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Studies;

/// <summary>Requests of several resources together: 4 KiB writes, a client with 4 at once for each.</summary>
internal static class ResourcesStudy
{
    private const int Most = 20;
    private const int Depth = 4;
    private const long DiskBytes = 48L << 20;
    private const long SpanBytes = 32L << 20;
    private static readonly int[] s_counts = [1, 4, Most];
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(2);

    /// <summary>Measures.</summary>
    public static int Run(StudyTerms terms, ResultFile results)
    {
        using var ground = new Ground(isInMemory: true);
        var pair = new Pair(
            ground.Lab,
            new PairOptions { DiskBytes = DiskBytes, Resources = Most, ResourceLines = ["encryption: off"] });
        pair.StartJoinedWithPrimaryA();
        string[] exports =
            [pair.A.Export(), .. pair.MoreResources.Select(resource => pair.A.Export(resource, resource))];
        Fio(ground, exports, ["--rw=write", "--bs=128k", $"--size={SpanBytes}"]);

        var measured = s_counts.ToDictionary(count => count, _ => new List<Figures>());
        for (int round = 0; round <= terms.Rounds; round++)
        {
            foreach (int count in s_counts)
            {
                var workload = new Workload("randwrite", "4k", Depth) { SpanBytes = SpanBytes };
                Figures figures = Figures.Read(
                    Fio(ground, exports[..count], workload.Arguments(round == 0 ? 1 : terms.Seconds)), files: 1);
                if (round > 0)
                {
                    measured[count].Add(figures);
                    results.Add("resources", new { round, resources = count, per_second = figures.PerSecond,
                        p50_us = figures.MedianUs, p99_us = figures.TailUs });
                }
            }
        }

        foreach ((int count, List<Figures> rounds) in measured)
        {
            Console.WriteLine(
                $"{count,2} resources: {Study.Spread(rounds.Select(each => each.PerSecond))}/s in all, "
                + $"p50 {Study.Spread(rounds.Select(each => each.MedianUs))} µs, "
                + $"p99 {Study.Spread(rounds.Select(each => each.TailUs))} µs");
        }

        return 0;
    }

    // A job of fio for each export: what is common comes first.
    private static string Fio(Ground ground, string[] exports, IReadOnlyList<string> words)
    {
        string path = Path.Combine(ground.Lab.Directory, "resources.fio");
        string global = string.Join('\n', words.Where(word => !word.StartsWith("--output", StringComparison.Ordinal)
            && !word.StartsWith("--name", StringComparison.Ordinal)).Select(word => word[2..]));
        string jobs = string.Concat(exports.Select((export, i) => string.Create(
            CultureInfo.InvariantCulture, $"[job{i}]\nuri={NbdTools.Uri(export)}\n")));
        File.WriteAllText(path, $"[global]\nioengine=nbd\ngroup_reporting\n{global}\n{jobs}");
        return Tool.RunWithin(s_deadline, "fio", "--output-format=json", path).Require().Output;
    }
}
