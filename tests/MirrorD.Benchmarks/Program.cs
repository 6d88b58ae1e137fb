using System.Globalization;
using MirrorD.Benchmarks;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Benchmarks.Loops;
using MirrorD.Benchmarks.Machines;
using MirrorD.Benchmarks.Results;
using MirrorD.Benchmarks.Studies;

IReadOnlyList<Comparison> all = [.. Comparison.All, .. MoreComparisons.All];

// What epoll and threads cost beside io_uring: 'loops DIRECTORY', on whose file system the disks are.
if (args is ["loops", string directory])
{
    LoopComparison.Print(directory, rounds: 3);
    return 0;
}

// Makes the contenders of a comparison and keeps them, for a look with perf, strace and others: 'hold COMPARISON'.
if (args is ["hold", string held] && all.FirstOrDefault(each => each.Name == held) is { } comparisonToHold)
{
    Hold(comparisonToHold);
    return 0;
}

// In two machines beside DRBD and md over nbd: 'machines [--rounds N] [--seconds S] [--results DIRECTORY]'.
if (args is ["machines", .. var words])
{
    return MachineComparison.Run(words);
}

// Measures beside peers: see docs/internals/performance.md. Needs root.
int rounds = 5;
double seconds = 3;
double minutes = 60;
string results = "bench/results";
string? charts = null;
var wanted = new List<string>();
for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--rounds" when i + 1 < args.Length:
            rounds = int.Parse(args[++i], NumberStyles.None, CultureInfo.InvariantCulture);
            break;
        case "--seconds" when i + 1 < args.Length:
            seconds = double.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--minutes" when i + 1 < args.Length:
            minutes = double.Parse(args[++i], CultureInfo.InvariantCulture);
            break;
        case "--results" when i + 1 < args.Length:
            results = args[++i];
            break;
        case "--charts" when i + 1 < args.Length:
            charts = args[++i];
            break;
        case var name when all.Any(each => each.Name == name) || Study.All.Any(each => each.Name == name):
            wanted.Add(name);
            break;
        default:
            Console.Error.WriteLine(
                $"bench does not know '{args[i]}'. Usage: bench [--rounds N] [--seconds S] [--minutes M] "
                + "[--results DIRECTORY] [--charts DIRECTORY] [COMPARISON…]; comparisons: "
                + string.Join(", ", Comparison.All.Select(each => each.Name)) + "; by name only: "
                + string.Join(", ", MoreComparisons.All.Select(each => each.Name)) + ", "
                + string.Join(", ", Study.All.Select(each => each.Name)));
            return 2;
    }
}

using var file = new ResultFile(results);
int missed = 0;
foreach (Comparison comparison in wanted.Count == 0 ? Comparison.All : all.Where(each => wanted.Contains(each.Name)))
{
    missed += Measure(comparison);
}

foreach (Study study in Study.All.Where(each => wanted.Contains(each.Name)))
{
    Console.WriteLine($"\n== {study.Title} ({study.Name})");
    missed += study.Run(new StudyTerms(rounds, seconds, minutes), file);
}

Console.WriteLine($"\n{file.Path}; {missed} goals missed");
return 0;

void Hold(Comparison comparison)
{
    var grounds = new List<Ground>();
    try
    {
        foreach (Contender contender in comparison.Contenders(() => Add(grounds, comparison)))
        {
            contender.Fill();
            Console.WriteLine(contender.Describe());
        }

        Console.WriteLine("held until Enter is pressed");
        Console.ReadLine();
    }
    finally
    {
        grounds.ForEach(ground => ground.Dispose());
    }
}

Ground Add(List<Ground> grounds, Comparison comparison)
{
    var ground = new Ground(comparison.IsInMemory);
    grounds.Add(ground);
    return ground;
}

// As the machine changes all the time, all contenders are there at once, and are measured in turn.
int Measure(Comparison comparison)
{
    Console.WriteLine($"\n== {comparison.Title} ({comparison.Name})");
    var grounds = new List<Ground>();
    try
    {
        IReadOnlyList<Contender> contenders = comparison.Contenders(() => Add(grounds, comparison));
        foreach (Contender contender in contenders)
        {
            contender.Fill();
        }

        var measured = new Measurements();
        string processors = comparison.IsPinned ? "0" : $"0-{Environment.ProcessorCount - 1}";
        for (int round = 0; round <= rounds; round++)
        {
            foreach (Workload workload in comparison.Workloads)
            {
                // Whoever is first finds another machine than whoever is last.
                for (int i = 0; i < contenders.Count; i++)
                {
                    Contender contender = contenders[(i + round) % contenders.Count];
                    Figures figures = contender.Run(workload, round == 0 ? Math.Min(1, seconds) : seconds, processors);
                    if (round > 0)
                    {
                        // The first round is for what is compiled or allocated at its first use.
                        measured.Add(workload, contender.Name, figures);
                        file.Add(
                            comparison.Name, round, workload, contender.Name, figures, comparison.IsInMemory,
                            comparison.IsPinned);
                    }
                }
            }
        }

        return Tell(comparison, [.. contenders.Select(contender => contender.Name)], measured);
    }
    finally
    {
        grounds.ForEach(ground => ground.Dispose());
    }
}

int Tell(Comparison comparison, IReadOnlyList<string> contenders, Measurements measured)
{
    foreach ((Workload workload, Figure figure) in comparison.Figures)
    {
        Console.WriteLine($"{workload}");
        foreach (string contender in contenders)
        {
            Console.WriteLine($"  {contender,-20} {measured.Of(workload, contender, figure)}");
        }
    }

    int missed = 0;
    foreach (Goal goal in comparison.Goals)
    {
        (double ratio, double least, double most) = measured.Ratio(goal);
        bool isMet = goal.IsLatency ? ratio <= goal.Wanted : ratio >= goal.Wanted;
        missed += isMet ? 0 : 1;
        string of = $"{goal.Workload}, {Measurements.Unit(goal.Figure)}: {goal.Of} / {goal.Against}";
        string wish = $"wanted {(goal.IsLatency ? "≤" : "≥")} {goal.Wanted}: {(isMet ? "met" : "MISSED")}";
        Console.WriteLine(FormattableString.Invariant($"{of} = {ratio:0.00} ({least:0.00}–{most:0.00}), {wish}"));
    }

    if (charts is not null)
    {
        Directory.CreateDirectory(charts);
        File.WriteAllText(Path.Combine(charts, $"{comparison.Name}.svg"), Chart.Draw(comparison, contenders, measured));
    }

    return missed;
}
