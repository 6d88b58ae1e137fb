namespace MirrorD.Simulator.Faults;

/// <summary>One fault of a run: enough to do it again.</summary>
/// <param name="TimeNs">World time.</param>
/// <param name="Step">Number of the event of the world after which it came; tells apart what has the same time.</param>
/// <param name="Kind">What.</param>
/// <param name="Node">Number of the node, for those that hit one.</param>
/// <param name="Seed">What it draws its own numbers from: durations, directions.</param>
public sealed record PlannedFault(long TimeNs, long Step, FaultKind Kind, int Node, ulong Seed)
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"{TimeNs / 1000,12} us {Step,8}  {Kind} (node {(Node == 0 ? 'a' : 'b')}, numbers from {Seed:x16})";
}
