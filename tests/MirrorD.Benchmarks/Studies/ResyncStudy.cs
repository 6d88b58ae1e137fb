using System.Globalization;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Benchmarks.Results;

namespace MirrorD.Benchmarks.Studies;

/// <summary>
/// A resync of a whole volume: alone against disk and link, and beside a client that asks for half of what it could.
/// </summary>
internal static class ResyncStudy
{
    private const double WantedShare = 0.85;
    private const double WantedTailRatio = 2;
    private const long FloorMiB = 20;
    private static readonly Workload s_foreground = new("randwrite", "4k", 16);

    /// <summary>Measures both.</summary>
    public static int Run(StudyTerms terms, ResultFile results, bool isInMemory)
    {
        string name = isInMemory ? "resync-memory" : "resync";
        return Alone(name, terms, results, isInMemory) + Beside(name, terms, results, isInMemory);
    }

    private static int Alone(string name, StudyTerms terms, ResultFile results, bool isInMemory)
    {
        using var ground = new Ground(isInMemory);
        var resync = new WholeResync(ground, "encryption: off");
        var ceilings = new Ceilings(ground);
        var rates = new List<double>();
        var disks = new List<double>();
        var copies = new List<double>();
        var links = new List<double>();
        for (int round = 0; round <= terms.Rounds; round++)
        {
            double rate = resync.Run();
            double disk = ceilings.Write(terms.Seconds);
            double copy = ceilings.Copy(terms.Seconds);
            double link = ceilings.Link(terms.Seconds);
            if (round > 0)
            {
                rates.Add(rate / 1e6);
                disks.Add(disk / 1e6);
                copies.Add(copy / 1e6);
                links.Add(link / 1e6);
                results.Add(name, new { round, alone = true, resync_bytes_per_second = rate, disk_bytes_per_second = disk,
                    copy_bytes_per_second = copy, link_bytes_per_second = link });
            }
        }

        Console.WriteLine($"resync without clients       {Study.Spread(rates)} MB/s");
        Console.WriteLine($"fio writes, 128 KiB          {Study.Spread(disks)} MB/s");
        Console.WriteLine($"fio reads one, writes one    {Study.Spread(copies)} MB/s");
        Console.WriteLine($"a TCP connection             {Study.Spread(links)} MB/s");
        double slower = Math.Min(disks.Median(), links.Median());
        return Study.Tell(
            "resync / slower of writes and link", rates.Median() / slower, WantedShare, isMost: false);
    }

    private static int Beside(string name, StudyTerms terms, ResultFile results, bool isInMemory)
    {
        using var ground = new Ground(isInMemory);
        var resync = new WholeResync(ground, "encryption: off", $"resync-rate-min: {FloorMiB}MiB/s");
        string processors = $"0-{Environment.ProcessorCount - 1}";
        double capacity = resync.Client.Run(s_foreground, terms.Seconds, processors).PerSecond;
        Workload half = s_foreground with
        {
            Name = "half of what it could", PerSecond = (int)(capacity / 2),
        };
        var without = new List<double>();
        var with = new List<double>();
        var rates = new List<double>();
        int ended = 0;
        for (int round = 1; round <= terms.Rounds; round++)
        {
            (Figures alone, double ofClient) = resync.OnLink(() => resync.Client.Run(half, terms.Seconds, processors));
            (Figures beside, double ofBoth, bool hasEnded) =
                resync.While(() => resync.Client.Run(half, terms.Seconds, processors));

            // The client's share is as it was alone, for each write.
            double bytesPerSecond = ofBoth - ofClient * beside.PerSecond / alone.PerSecond;
            without.Add(alone.TailUs);
            with.Add(beside.TailUs);
            rates.Add(bytesPerSecond / (1 << 20));
            ended += hasEnded ? 1 : 0;
            results.Add(name, new { round, alone = false, capacity, asked = half.PerSecond, per_second = alone.PerSecond,
                p50_us = alone.MedianUs, p99_us = alone.TailUs, with_per_second = beside.PerSecond,
                with_p50_us = beside.MedianUs, with_p99_us = beside.TailUs, resync_bytes_per_second = bytesPerSecond,
                resync_ended = hasEnded });
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"a client that asks for {half.PerSecond} of {capacity:0} writes/s"));
        Console.WriteLine($"p99 without resync  {Study.Spread(without)} µs");
        Console.WriteLine($"p99 with resync  {Study.Spread(with)} µs");
        Console.WriteLine($"the resync meanwhile  {Study.Spread(rates)} MiB/s, in {ended} rounds done before the client");
        return Study.Tell(
            "p99 with / without", with.Median() / without.Median(), WantedTailRatio, isMost: true)
            + Study.Tell("resync beside the client", rates.Median(), FloorMiB, isMost: false, " MiB/s");
    }
}
