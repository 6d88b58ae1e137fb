using System.Diagnostics;
using MirrorD.Core;
using MirrorD.Core.Handshake;
using MirrorD.Simulator.Faults;
using MirrorD.Simulator.Workload;

namespace MirrorD.Simulator;

/// <summary>Runs seeds, some at a time, each in one thread.</summary>
public static class Seeds
{
    /// <summary>Outcome of one seed; the failure is null when no rule was broken.</summary>
    public sealed record Outcome(ulong Seed, Exception? Failure, Tally Tally, IReadOnlyList<PlannedFault> Faults)
    {
        /// <summary>Which rule was broken; the name of the exception where the product threw one.</summary>
        public string? Rule => Failure is RuleBroken broken ? broken.Rule : Failure?.GetType().Name;
    }

    /// <summary>Runs one seed.</summary>
    public static Outcome RunOne(
        ulong seed, Action<string>? trace = null, IReadOnlyList<PlannedFault>? plan = null)
    {
        PairSimulation? simulation = null;
        try
        {
            simulation = new PairSimulation(seed, trace, plan);
            simulation.Run();
            return new Outcome(seed, null, simulation.Tally, simulation.FaultsDone);
        }
        catch (Exception failure)
        {
            // Whatever the engine throws ends its process and is a finding, as a broken rule is.
            simulation?.Note($"FAILED {failure.Message}");
            return new Outcome(seed, failure, simulation?.Tally ?? new Tally(), simulation?.FaultsDone ?? []);
        }
        finally
        {
            simulation?.End();
        }
    }

    /// <summary>
    /// Runs consecutive seeds until the first failure in their order; gives those that were run.
    /// </summary>
    public static List<Outcome> RunMany(ulong start, int count)
    {
        var outcomes = new Outcome?[count];
        int next = -1;
        int firstFailure = count;
        Thread[] workers = [.. Enumerable.Range(0, Math.Min(count, Environment.ProcessorCount))
            .Select(_ => new Thread(Work))];
        Array.ForEach(workers, worker => worker.Start());
        Array.ForEach(workers, worker => worker.Join());
        return [.. outcomes.TakeWhile(outcome => outcome is not null).Select(outcome => outcome!)];

        void Work()
        {
            for (int index; (index = Interlocked.Increment(ref next)) < Volatile.Read(ref firstFailure);)
            {
                Outcome outcome = RunOne(start + (ulong)index);
                outcomes[index] = outcome;
                if (outcome.Failure is not null)
                {
                    Volatile.Write(ref firstFailure, Math.Min(index, Volatile.Read(ref firstFailure)));
                }
            }
        }
    }

    /// <summary>Runs seeds and reports; 0 when no rule was broken and enough of the atlas was met.</summary>
    public static int Run(ulong start, int count)
    {
        long startedAt = Stopwatch.GetTimestamp();
        List<Outcome> outcomes = RunMany(start, count);
        TimeSpan took = Stopwatch.GetElapsedTime(startedAt);
        Console.WriteLine($"{outcomes.Count} seeds in {took.TotalSeconds:0.0} s; means per seed:");
        foreach (IGrouping<string, long> values in outcomes.SelectMany(outcome => outcome.Tally.Values)
            .GroupBy(value => value.Name, value => value.Value))
        {
            Console.WriteLine($"  {values.Key,-16} {values.Average(),10:0.0}");
        }

        double each = took.TotalMilliseconds / Math.Max(1, outcomes.Count);
        Console.WriteLine($"  {"wall time",-16} {each,10:0} ms");
        Print("handshakes", outcomes, outcome => outcome.Tally.Cases);
        Print("decisions", outcomes, outcome => outcome.Tally.Rows);
        Print("faults", outcomes, outcome => outcome.Tally.Faults.Select(fault => fault.Kind.ToString()));
        Print("faults of disks", outcomes, outcome => outcome.Tally.DiskFaults);
        bool isMet = ReportAtlas(outcomes);
        if (outcomes.Find(outcome => outcome.Failure is not null) is { Failure: { } failure } failed)
        {
            Console.WriteLine($"seed {failed.Seed} failed: {failure.Message}");
            Console.WriteLine($"make replay SEED={failed.Seed}");
            return 1;
        }

        Console.WriteLine("no rule was broken");
        return isMet ? 0 : 1;
    }

    private static bool ReportAtlas(List<Outcome> outcomes)
    {
        IReadOnlyList<HandshakeCase> staged = HandshakeStages.Play();
        Console.WriteLine($"  {"staged",-16} {string.Join(", ", staged)}");
        IReadOnlyList<string> missing = FaultAtlas.MissingCases(
            [.. outcomes.SelectMany(outcome => outcome.Tally.Cases), .. staged.Select(each => each.ToString())]);
        if (missing.Count > 0)
        {
            Console.WriteLine($"cases of the handshake that were not met: {string.Join(", ", missing)}");
        }

        IReadOnlyList<(string Pair, int Count)> pairs =
            FaultAtlas.CountPairs(outcomes.Select(outcome => outcome.Tally.Faults));
        int never = pairs.Count(pair => pair.Count == 0);
        double perSeed = pairs.Sum(pair => pair.Count) / (double)Math.Max(1, outcomes.Count);
        Console.WriteLine($"  {"pairs of faults",-16} {perSeed,10:0.0}, {pairs.Count - never} different ones of {pairs.Count}; "
            + $"the rarest: {string.Join(", ", pairs.Take(8).Select(pair => $"{pair.Pair} {pair.Count}"))}");
        return missing.Count == 0 && (never == 0 || outcomes.Count < FaultAtlas.SeedsForAllPairs);
    }

    private static void Print(string name, List<Outcome> outcomes, Func<Outcome, IEnumerable<string>> metBy) =>
        Console.WriteLine($"  {name,-16} " + string.Join(", ", outcomes.SelectMany(metBy)
            .CountBy(each => each).OrderByDescending(each => each.Value)
            .Select(each => $"{each.Key} {each.Value / (double)outcomes.Count:0.000}")));

    /// <summary>Runs one seed with a full trace, if wanted as a canary; 0 when no rule was broken.</summary>
    public static int Replay(ulong seed, string? rule)
    {
        Canaries.Break(rule is null ? BrokenRule.None : Enum.Parse<BrokenRule>(rule));
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        Outcome outcome = RunOne(seed, output.WriteLine);
        output.WriteLine(outcome.Failure is null ? "no rule was broken" : outcome.Failure.ToString());
        return outcome.Failure is null ? 0 : 1;
    }
}
