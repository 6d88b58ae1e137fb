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
        FaultKind[] drawn = [.. Favoured.Except(FaultAtlas.Following)];
        if (drawn.Length == 0)
        {
            return scenario;
        }

        int[] weights = [.. scenario.FaultWeights];
        int more = 4 * weights.Max();
        foreach (FaultKind kind in drawn)
        {
            weights[(int)kind] += more;
        }

        return scenario with { FaultWeights = weights, FaultEveryNs = Math.Min(scenario.FaultEveryNs, 300_000_000) };
    }

    /// <summary>So many of a hundred times a kind comes after what it follows.</summary>
    public static int PercentOf(FaultKind kind, Scenario scenario, int usual) =>
        Favoured.Contains(kind) ? 60 : scenario.HasAllKinds ? 2 * usual : usual;
}
