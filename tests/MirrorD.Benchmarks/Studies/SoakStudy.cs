using System.Diagnostics;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Benchmarks.Results;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;

namespace MirrorD.Benchmarks.Studies;

/// <summary>Reads and writes for long: what grows or slows down meanwhile.</summary>
internal static class SoakStudy
{
    private const double LineSeconds = 60;

    // fio makes a start of its own each minute, and so new connections.
    private static readonly Workload s_mixed =
        new("randrw", "4k", 8) { Clients = 2, Name = "4k reads and writes, 2 clients, QD8" };

    /// <summary>Measures for so many minutes.</summary>
    public static int Run(StudyTerms terms, ResultFile results)
    {
        using var ground = new Ground(isInMemory: true);
        var pair = new Pair(ground.Lab, new PairOptions { DiskBytes = Ground.DiskBytes });
        pair.StartJoinedWithPrimaryA();
        var client = new Contender(
            "soak", Peers.OverNbd(NbdTools.Uri(pair.A.Export())), () => [pair.A.Daemon, pair.B.Daemon]);
        client.Fill();
        var lines = new List<Line>();
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed.TotalMinutes < terms.Minutes)
        {
            TimeSpan before = Worked(pair);
            Figures figures = client.Run(s_mixed, LineSeconds, $"0-{Environment.ProcessorCount - 1}");
            var line = new Line(
                figures.PerSecond, figures.TailUs,
                (Worked(pair) - before).TotalMicroseconds / (figures.PerSecond * LineSeconds),
                pair.A.Daemon.ResidentBytes / 1e6, pair.B.Daemon.ResidentBytes / 1e6, Files(pair));
            lines.Add(line);
            results.Add("soak", new { minute = clock.Elapsed.TotalMinutes, per_second = line.PerSecond, p99_us = line.TailUs,
                processor_us = line.ProcessorUs, primary_rss_mb = line.PrimaryMegabytes,
                standby_rss_mb = line.StandbyMegabytes, open_files = line.OpenFiles });
            Console.WriteLine(FormattableString.Invariant(
                $"{clock.Elapsed.TotalMinutes,5:0.0} min  {line.PerSecond:0}/s  p99 {line.TailUs:0} µs  ")
                + FormattableString.Invariant(
                    $"{line.ProcessorUs:0.00} µs of both for each  Rss {line.PrimaryMegabytes:0.0} and ")
                + FormattableString.Invariant($"{line.StandbyMegabytes:0.0} MB  {line.OpenFiles} open files"));
        }

        Drift("requests/s", lines, line => line.PerSecond);
        Drift("p99", lines, line => line.TailUs);
        Drift("processor time of both daemons for a request", lines, line => line.ProcessorUs);
        Drift("Rss of the Primary", lines, line => line.PrimaryMegabytes);
        Drift("Rss of the Standby", lines, line => line.StandbyMegabytes);
        Drift("open files of both", lines, line => line.OpenFiles);
        return 0;
    }

    // What other programs take of the machine changes this less than it does the rates.
    private static TimeSpan Worked(Pair pair) => pair.A.Daemon.ProcessorTime + pair.B.Daemon.ProcessorTime;

    private static int Files(Pair pair) => new[] { pair.A, pair.B }.Sum(
        node => Directory.GetFileSystemEntries($"/proc/{node.Daemon.Id}/fd").Length);

    private static void Drift(string what, List<Line> lines, Func<Line, double> figure)
    {
        int quarter = Math.Max(1, lines.Count / 4);
        double first = lines.Take(quarter).Average(figure);
        double last = lines.TakeLast(quarter).Average(figure);
        Console.WriteLine(FormattableString.Invariant(
            $"{what}: last quarter / first = {last / first:0.000} ({first:0.0} to {last:0.0})"));
    }

    private sealed record Line(
        double PerSecond, double TailUs, double ProcessorUs, double PrimaryMegabytes, double StandbyMegabytes, int OpenFiles);
}
