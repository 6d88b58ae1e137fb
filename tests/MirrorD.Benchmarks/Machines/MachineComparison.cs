using System.Globalization;
using MirrorD.Benchmarks.Results;
using MirrorD.Machines;
using MirrorD.Machines.Devices;
using MirrorD.Machines.Product;

namespace MirrorD.Benchmarks.Machines;

/// <summary>
/// The package, DRBD and md over nbd between the same two machines, each on a disk of its own of the same kind and over
/// the same link, in turn while the others are at rest.
/// </summary>
internal static class MachineComparison
{
    private const long DiskBytes = 160L << 20;
    private const string Name = "machines";
    private const string Own = "mirrord";

    private static readonly Workload[] s_workloads =
    [
        new("randwrite", "4k", 1, IsDurable: true),
        new("randwrite", "4k", 16, IsDurable: true),
        new("randwrite", "4k", 1),
        new("randwrite", "4k", 16),
    ];

    /// <summary>Measures; tells what came out on the console and in a file.</summary>
    /// <param name="words">--rounds N (3), --seconds S (4), --results DIRECTORY (bench/results).</param>
    public static int Run(string[] words)
    {
        int rounds = 3;
        double seconds = 4;
        string results = "bench/results";
        foreach (string[] option in words.Chunk(2))
        {
            switch (option)
            {
                case ["--rounds", var text]
                    when int.TryParse(text, CultureInfo.InvariantCulture, out int number) && number > 0:
                    rounds = number;
                    break;
                case ["--seconds", var text]
                    when double.TryParse(text, CultureInfo.InvariantCulture, out double number) && number > 0:
                    seconds = number;
                    break;
                case ["--results", var directory]:
                    results = directory;
                    break;
                default:
                    Console.Error.WriteLine(
                        $"bench machines does not know '{string.Join(' ', option)}'. Usage: bench machines [--rounds N] "
                        + "[--seconds S] [--results DIRECTORY]");
                    return 2;
            }
        }

        if (MachineRequirements.Missing() is string reason)
        {
            Console.Error.WriteLine(reason);
            return 3;
        }

        Measure(rounds, seconds, results);
        return 0;
    }

    private static void Measure(int rounds, double seconds, string results)
    {
        Console.WriteLine($"\n== Mirrored, in two machines ({Name})");
        using var pair = new MirroredPair(new PairChoices
        {
            DiskBytes = DiskBytes,
            EvictPercent = 0,
            DeadAfterSeconds = 120,
            MoreDisks = [.. new[] { "drbd", "md", "alone" }.Select(name => new MachineDisk(name, DiskBytes))],
            MorePackages = MachinePeers.Packages,
            // None of the others encrypts.
            ResourceLines = ["encryption: off"],
        });
        MachineLab lab = pair.Lab;
        MachineContender[] contenders =
        [
            new(Own, MirroredPair.DevicePath, MirroredPair.DiskName, "mirrord"), MachinePeers.Drbd(lab, "drbd"),
            MachinePeers.Md(lab, "md"), MachinePeers.Disk(lab, "alone"),
        ];
        foreach (MachineContender contender in contenders)
        {
            contender.Fill(lab);
        }

        using var file = new ResultFile(results);
        file.Add(Name, new
        {
            machines = "QEMU without KVM",
            kernel = lab.A.ReadFile("/proc/sys/kernel/osrelease").Split(".0-")[0],
            processors = lab.A.Options.Processors,
            memory_mebibytes = lab.A.Options.MemoryMebibytes,
        });
        MachineCounts rest = contenders[0].Rest(lab, seconds);
        Console.WriteLine($"at rest, {rest.EachSecond(seconds)}");
        file.Add(Name, new { rest, seconds });
        var measured = new Measurements();
        var counts = new Dictionary<(Workload, string), MachineCounts>();

        foreach (Workload workload in s_workloads)
        {
            // The first round is for what is compiled or allocated at its first use.
            for (int round = 0; round <= rounds; round++)
            {
                for (int i = 0; i < contenders.Length; i++)
                {
                    MachineContender contender = contenders[(i + round) % contenders.Length];
                    (Figures figures, MachineCounts counted) =
                        contender.Run(lab, workload, round == 0 ? Math.Min(seconds, 2) : seconds);
                    if (round > 0)
                    {
                        measured.Add(workload, contender.Name, figures);
                        counts[(workload, contender.Name)] = counted;
                        file.Add(Name, round, workload, contender.Name, figures, counts: counted);
                    }
                }
            }

            Tell(workload, contenders, measured, counts);
        }

        Console.WriteLine($"\n{file.Path}");
    }

    private static void Tell(
        Workload workload, MachineContender[] contenders, Measurements measured,
        Dictionary<(Workload Workload, string Name), MachineCounts> counts)
    {
        Console.WriteLine($"{workload}");
        foreach (MachineContender contender in contenders)
        {
            string name = contender.Name;
            Console.WriteLine($"  {name,-12} {measured.Of(workload, name, Figure.PerSecond)}, "
                + $"{measured.Of(workload, name, Figure.MedianUs)}, {measured.Of(workload, name, Figure.TailUs)}");
            Console.WriteLine($"               {counts[(workload, name)]}");
        }

        foreach (MachineContender other in contenders[1..])
        {
            (double ratio, double least, double most) =
                measured.Ratio(new Goal(workload, Figure.PerSecond, Own, other.Name, 1));
            Console.WriteLine(
                FormattableString.Invariant($"  {Own} / {other.Name} = {ratio:0.00} ({least:0.00}–{most:0.00})"));
        }
    }
}
