using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator;

/// <summary>Kinds of fault that come more often than a seed would have them: for canaries of what only they can show.</summary>
public static class FaultDraw
{
    /// <summary>These kinds; none: as drawn.</summary>
    public static IReadOnlyList<FaultKind> Favoured { get; set; } = [];

    /// <summary>The scenario with its faults.</summary>
    public static Scenario Apply(Scenario scenario)
    {
        if (Favoured.Count == 0)
        {
            return scenario;
        }

        int[] weights = [.. scenario.FaultWeights];
        int more = 4 * weights.Max();
        foreach (FaultKind kind in Favoured)
        {
            weights[(int)kind] += more;
        }

        return scenario with { FaultWeights = weights, FaultEveryNs = Math.Min(scenario.FaultEveryNs, 300_000_000) };
    }
}
