using MirrorD.Core;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator;

/// <summary>
/// Finds a smaller list of faults with which a seed still breaks the same rule: takes parts of the list away, large ones
/// first, and keeps what still fails. Deterministic; a list of which nothing more can be taken away is its end.
/// </summary>
public static class Shrinker
{
    /// <summary>A smaller list of the same failure; null when nothing fails.</summary>
    /// <param name="run">Runs with these faults, or with those that are drawn when there is no list.</param>
    /// <param name="progress">Told of each step.</param>
    public static Seeds.Outcome? Shrink(
        Func<IReadOnlyList<PlannedFault>?, Seeds.Outcome> run, Action<string> progress)
    {
        Seeds.Outcome smallest = run(null);
        if (smallest.Rule is not { } rule)
        {
            return null;
        }

        progress($"{rule} with {smallest.Faults.Count} faults");
        for (int part = Math.Max(1, smallest.Faults.Count / 2); part >= 1;)
        {
            if (Without(run, smallest, part, rule) is { } smaller)
            {
                smallest = smaller;
                progress($"{rule} with {smallest.Faults.Count} faults");
                part = Math.Clamp(smallest.Faults.Count / 2, 1, part);
                if (smallest.Faults.Count == 0)
                {
                    break;
                }
            }
            else
            {
                part = part == 1 ? 0 : part / 2;
            }
        }

        return smallest;
    }

    /// <summary>Shrinks a seed, if wanted as a canary, and prints what is left; 1 when the seed does not fail.</summary>
    public static int Run(ulong seed, string? rule)
    {
        Canaries.Break(rule is null ? BrokenRule.None : Enum.Parse<BrokenRule>(rule));
        if (Shrink(plan => Seeds.RunOne(seed, plan: plan), Console.WriteLine) is not { } smallest)
        {
            Console.WriteLine($"seed {seed} breaks no rule");
            return 1;
        }

        Console.WriteLine($"the smallest list found, of {smallest.Faults.Count} faults:");
        foreach (PlannedFault fault in smallest.Faults)
        {
            Console.WriteLine($"  {fault}");
        }

        Console.WriteLine($"{smallest.Failure!.Message}");
        return 0;
    }

    /// <summary>The first part of this length that can be left out; later ones first, as they matter least.</summary>
    private static Seeds.Outcome? Without(
        Func<IReadOnlyList<PlannedFault>?, Seeds.Outcome> run, Seeds.Outcome failed, int part, string rule)
    {
        for (int end = failed.Faults.Count; end > 0; end -= part)
        {
            int from = Math.Max(0, end - part);
            PlannedFault[] rest = [.. failed.Faults.Take(from), .. failed.Faults.Skip(end)];
            Seeds.Outcome tried = run(rest);
            if (tried.Rule == rule)
            {
                return tried;
            }
        }

        return null;
    }
}
