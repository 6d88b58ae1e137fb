namespace MirrorD.Lab.Witness;

/// <summary>
/// The rule that at most one node goes on alone in a session, as seen from outside: within a session the role may move
/// from one node to the other, but acknowledged writes of both never interleave. If one node's writes are followed by
/// the other's and then by its own again, the nodes must have joined in between, and then it stores another session.
/// Planned switchovers there and back in one session look the same: the rule is for stories without them.
/// <para>
/// A write is after another when it was sent after the other's reply. One whose reply comes late says nothing: both
/// copies had it before the role moved, and the process that was to send the reply was stopped.
/// </para>
/// </summary>
public static class OneWriter
{
    /// <summary>Every return of a node in a session in which the other one had written; empty when all is well.</summary>
    /// <param name="writes">Acknowledged writes of both nodes; each node's were sent one after the other.</param>
    /// <param name="sessionBefore">Session of a node, by name, as last told before a moment; null when unknown.</param>
    /// <param name="sessionAfter">As first told to a question after a moment; null when unknown.</param>
    public static IReadOnlyList<string> Violations(
        IEnumerable<WitnessedWrite> writes,
        Func<string, long, string?> sessionBefore,
        Func<string, long, string?> sessionAfter)
    {
        WitnessedWrite[][] nodes =
            [.. writes.OrderBy(write => write.SentAt).GroupBy(write => write.Node).Select(node => node.ToArray())];
        var complaints = new List<string>();
        foreach (WitnessedWrite[] own in nodes)
        {
            foreach (WitnessedWrite[] others in nodes.Where(node => node != own))
            {
                foreach ((WitnessedWrite first, WitnessedWrite other, WitnessedWrite next) in Returns(own, others))
                {
                    string? before = sessionBefore(first.Node, first.AnsweredAt);
                    if (before is not null && before == sessionAfter(next.Node, next.AnsweredAt))
                    {
                        complaints.Add(
                            $"{first.Node} acknowledged its write {first.Sequence}, then {other.Node} its " +
                            $"{other.Sequence}, then {next.Node} its {next.Sequence}, all in session {before}");
                    }
                }
            }
        }

        return complaints;
    }

    // The first write after each of the other's, where there is one before it as well.
    private static IEnumerable<(WitnessedWrite First, WitnessedWrite Other, WitnessedWrite Next)> Returns(
        WitnessedWrite[] own, WitnessedWrite[] others)
    {
        int firsts = 0;
        int ended = 0;
        foreach (WitnessedWrite next in own)
        {
            int endedBefore = ended;
            while (ended < others.Length && others[ended].AnsweredAt < next.SentAt)
            {
                ended++;
            }

            if (ended == endedBefore)
            {
                continue;
            }

            WitnessedWrite other = others[ended - 1];
            while (firsts < own.Length && own[firsts].AnsweredAt < other.SentAt)
            {
                firsts++;
            }

            if (firsts > 0)
            {
                yield return (own[firsts - 1], other, next);
            }
        }
    }
}
