namespace MirrorD.Configuration.NodeState;

/// <summary>Something in the state directory is missing or damaged.</summary>
/// <param name="problem">What is wrong and why, without a full stop.</param>
/// <param name="remedy">What to do.</param>
public sealed class NodeStateException(string problem, string remedy) : Exception($"{problem}; {remedy}")
{
    /// <summary>What is wrong and why.</summary>
    public string Problem { get; } = problem;

    /// <summary>What to do.</summary>
    public string Remedy { get; } = remedy;
}
