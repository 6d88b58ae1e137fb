namespace MirrorD.Simulator;

/// <summary>The simulation has seen something that the safety contract (section 7) forbids.</summary>
public sealed class RuleBroken(string invariant, string what) : Exception($"{invariant}: {what}")
{
    /// <summary>Which invariant, e.g. "I-6".</summary>
    public string Rule { get; } = invariant;
}
