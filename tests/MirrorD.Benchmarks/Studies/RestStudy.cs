using System.Diagnostics;
using System.Globalization;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Benchmarks.Results;
using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Benchmarks.Studies;

/// <summary>
/// What joined resources cost while nobody asks for anything: memory of each daemon (proc(5), smaps_rollup) and time of all
/// its threads on processors.
/// </summary>
internal static class RestStudy
{
    private const int Many = 20;
    private const double Seconds = 20;
    private const double WantedMegabytes = 100;
    private const double WantedPercent = 1;
    private const long DiskBytes = 32L << 20;

    /// <summary>Measures once: a time of 20 s is long beside what disturbs it.</summary>
    public static int Run(StudyTerms terms, ResultFile results)
    {
        int missed = 0;
        foreach (int resources in (int[])[1, Many])
        {
            using var ground = new Ground(isInMemory: true);

            // With the timeouts that are preset: how often a daemon looks around follows from them.
            var options = new PairOptions { DiskBytes = DiskBytes, Resources = resources, LinkTimeout = null };
            var pair = new Pair(ground.Lab, options);
            pair.StartJoinedWithPrimaryA();
            Node[] nodes = [pair.A, pair.B];

            // What starting left to do is done by then.
            Pass(3, nodes);
            TimeSpan[] before = [.. nodes.Select(node => node.Daemon.ProcessorTime)];
            double seconds = Pass(Seconds, nodes);
            for (int i = 0; i < nodes.Length; i++)
            {
                LabProcess daemon = nodes[i].Daemon;
                double percent = (daemon.ProcessorTime - before[i]).TotalSeconds / seconds * 100;
                (double rss, double pss) = Megabytes(daemon.Id);
                string role = nodes[i] == pair.A ? "Primary" : "Standby";
                results.Add("rest", new { resources, role, processor_percent = percent, rss_mb = rss, pss_mb = pss });
                Console.WriteLine(FormattableString.Invariant(
                    $"{resources,2} resources, {role}: {percent:0.00} % of a processor, Rss {rss:0.0} MB, Pss {pss:0.0} MB"));
                if (resources == Many)
                {
                    missed += Study.Tell($"{role}, processor", percent, WantedPercent, isMost: true, " %");
                    missed += Study.Tell($"{role}, Rss", rss, WantedMegabytes, isMost: true, " MB");
                }
            }
        }

        return missed;
    }

    private static double Pass(double seconds, Node[] nodes)
    {
        var clock = Stopwatch.StartNew();
        Wait.While("both daemons to run", seconds, () => nodes.All(node => node.IsRunning));
        return clock.Elapsed.TotalSeconds;
    }

    private static (double Rss, double Pss) Megabytes(int process)
    {
        string[] lines = File.ReadAllLines($"/proc/{process}/smaps_rollup");
        double Of(string field) => double.Parse(
            lines.First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..].Replace("kB", "").Trim(),
            CultureInfo.InvariantCulture) * 1024 / 1e6;
        return (Of("Rss:"), Of("Pss:"));
    }
}
