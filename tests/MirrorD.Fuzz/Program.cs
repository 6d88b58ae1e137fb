using System.Globalization;
using MirrorD.Fuzz.Planted;
using MirrorD.Fuzz.Running;
using MirrorD.Fuzz.Targets;

const ulong FixedSeed = 1;
const string Usage = """
    fuzz run [TARGET] [--seconds N]       all targets or one, N seconds in all: half with seed 1, half with a fresh one
    fuzz coverage [TARGET]                what the corpus alone covers, by file, with the lines that it does not
    fuzz grow [TARGET] [--seconds N]      N seconds each; inputs that add edges become the corpus
    fuzz replay TARGET FILE               one input
    fuzz planted [TARGET]                 plants each known bug in a copy of the sources, and says after how long it is found
    fuzz list                             the targets
    """;

string Option(string name, string otherwise)
{
    int at = Array.IndexOf(args, name);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
}

double seconds = double.Parse(Option("--seconds", "120"), CultureInfo.InvariantCulture);
ulong seed = ulong.Parse(Option("--seed", Random.Shared.Next().ToString(CultureInfo.InvariantCulture)),
    CultureInfo.InvariantCulture);
IReadOnlyList<FuzzTarget> chosen = args.Length > 1 && !args[1].StartsWith('-') && args[0] != "work"
    ? [AllTargets.Find(args[1])] : AllTargets.List;

switch (args.FirstOrDefault())
{
    case "work":
        return Worker.Work(WorkOrder.From(args));
    case "list":
        Console.WriteLine(string.Join('\n', AllTargets.List.Select(target => target.Name)));
        return 0;
    case "replay" when args.Length == 3:
        return Worker.Replay(args[1], args[2]);
    case "planted":
        return PlantedRun.All(chosen);
    case "run":
        return Each(target =>
        {
            double share = seconds / chosen.Count / 2;
            return [new(target, share, FixedSeed, false, false, false), new(target, share, seed, false, false, false)];
        });
    case "coverage":
        return Each(target => [new(target, 0, FixedSeed, false, false, true)]);
    case "grow":
        return Each(target => [new(target, seconds, seed, false, true, true)]);
    default:
        Console.Error.WriteLine(Usage);
        return 2;
}

// A target passes or fails as a whole. The last line has the counters of all, as every part of the tests has.
int Each(Func<string, WorkOrder[]> orders)
{
    Launcher launcher = Launcher.OfThisProgram();
    int failed = 0;
    foreach (FuzzTarget target in chosen)
    {
        bool isGood = true;
        foreach (WorkOrder order in orders(target.Name))
        {
            isGood &= launcher.Run(order);
        }

        failed += isGood ? 0 : 1;
    }

    Console.WriteLine($"{chosen.Count - failed} passed, {failed} failed, 0 skipped");
    return failed == 0 ? 0 : 1;
}
