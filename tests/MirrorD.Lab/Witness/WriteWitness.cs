using MirrorD.Lab.Pairs;

namespace MirrorD.Lab.Witness;

/// <summary>
/// A witness that does not depend on what the daemons say: clients that always try to write through both nodes, and
/// what each node stores as its session.
/// </summary>
public sealed class WriteWitness : IDisposable
{
    private readonly Pair _pair;
    private readonly Dictionary<string, SessionLog> _sessions;
    private bool _running = true;

    /// <summary>Starts watching a pair.</summary>
    public WriteWitness(Pair pair)
    {
        _pair = pair;
        OfA = new WitnessWriter(pair.A.Name, pair.A.Export(), firstBlock: 0);
        OfB = new WitnessWriter(pair.B.Name, pair.B.Export(), firstBlock: WitnessWriter.Blocks);
        _sessions = new() { [pair.A.Name] = new SessionLog(pair.A), [pair.B.Name] = new SessionLog(pair.B) };
        OfA.Start();
        OfB.Start();
        foreach (SessionLog log in _sessions.Values)
        {
            log.Start();
        }
    }

    /// <summary>Writes through a.</summary>
    public WitnessWriter OfA { get; }

    /// <summary>Writes through b.</summary>
    public WitnessWriter OfB { get; }

    /// <summary>The writer of a node.</summary>
    public WitnessWriter Of(Node node) => node == _pair.A ? OfA : OfB;

    /// <summary>Waits until more writes through a node are acknowledged.</summary>
    public void WaitForWrites(Node node, double seconds = 20)
    {
        int count = Of(node).Count;
        Wait.For($"writes through {node.Name} to be acknowledged", seconds, () => Of(node).Count > count + 3, Picture);
    }

    /// <summary>Ends writing and asking.</summary>
    public void Stop()
    {
        if (!_running)
        {
            return;
        }

        _running = false;
        OfA.Stop();
        OfB.Stop();
        foreach (SessionLog log in _sessions.Values)
        {
            log.Stop();
        }
    }

    /// <summary>
    /// Both nodes' writes in one session; empty when all is well. A write that was under way when the node's daemon was
    /// stopped does not count: its reply may have been on its way, and then comes when the daemon wakes. <see cref="Judge"/>
    /// looks for its data all the same.
    /// </summary>
    public IReadOnlyList<string> Violations() => OneWriter.Violations(
        [.. OfA.Writes.Where(write => !WasStopped(_pair.A, write)), .. OfB.Writes.Where(write => !WasStopped(_pair.B, write))],
        (node, moment) => _sessions[node].Before(moment), (node, moment) => _sessions[node].After(moment));

    /// <summary>
    /// Stops, and looks in the Primary's export for every acknowledged write. Returns all complaints.
    /// </summary>
    public IReadOnlyList<string> Judge(Node primary)
    {
        Stop();
        return [.. Violations(), .. OfA.Verify(primary.Export()), .. OfB.Verify(primary.Export())];
    }

    /// <summary>What both nodes show, for messages.</summary>
    public string Picture() =>
        $"a: {_pair.A.TryStatus()}\nb: {_pair.B.TryStatus()}\n" +
        $"writes: {OfA.Count} through a, {OfB.Count} through b";

    /// <inheritdoc/>
    public void Dispose() => Stop();

    private static bool WasStopped(Node node, WitnessedWrite write) =>
        node.Daemon.StoppedAt.Any(stoppedAt => write.SentAt < stoppedAt && stoppedAt < write.AnsweredAt);
}
