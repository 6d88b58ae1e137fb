namespace MirrorD.Lab.Witness;

/// <summary>
/// The rule that at most one node goes on alone in a session, as seen from outside: within a session the role may move
/// from one node to the other, but acknowledged writes of both never interleave. If one node's writes are followed by
/// the other's and then by its own again, the nodes must have joined in between, and then it stores another session.
/// Planned switchovers there and back in one session look the same: the rule is for stories without them.
/// </summary>
public static class OneWriter
{
    /// <summary>Every return of a node in a session in which the other one had written; empty when all is well.</summary>
    /// <param name="writes">Acknowledged writes of both nodes, in any order.</param>
    /// <param name="sessionBefore">Session of a node, by name, as last told before a moment; null when unknown.</param>
    /// <param name="sessionAfter">As first told to a question after a moment; null when unknown.</param>
    public static IReadOnlyList<string> Violations(
        IEnumerable<WitnessedWrite> writes,
        Func<string, long, string?> sessionBefore,
        Func<string, long, string?> sessionAfter)
    {
        var complaints = new List<string>();
        var lastOf = new Dictionary<string, WitnessedWrite>();
        WitnessedWrite? previous = null;
        foreach (WitnessedWrite write in writes.OrderBy(write => write.AnsweredAt))
        {
            if (previous is { } other && other.Node != write.Node
                && lastOf.TryGetValue(write.Node, out WitnessedWrite own))
            {
                string? before = sessionBefore(write.Node, own.AnsweredAt);
                if (before is not null && before == sessionAfter(write.Node, write.AnsweredAt))
                {
                    complaints.Add(
                        $"{write.Node} acknowledged its write {own.Sequence}, then {other.Node} its {other.Sequence}, " +
                        $"then {write.Node} its {write.Sequence}, all in session {before}");
                }
            }

            lastOf[write.Node] = write;
            previous = write;
        }

        return complaints;
    }
}
