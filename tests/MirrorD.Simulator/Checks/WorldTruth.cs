namespace MirrorD.Simulator.Checks;

/// <summary>
/// What each node could really hear of the other, from cuts, what is held back, deaths, pauses and jumps of clocks alone: invariant 16
/// compares takeovers with it. Silence is counted only while the node itself ran.
/// </summary>
public sealed class WorldTruth
{
    private const long Millisecond = 1_000_000;

    /// <summary>
    /// Silence after which a path may be called lost: the last heartbeat may be an interval old when the silence
    /// begins, and the next one lost or late.
    /// </summary>
    private const long ShortestNs = (Scenario.DeadAfterMs - 3 * Scenario.HeartbeatMs) * Millisecond;

    private readonly PairSimulation _simulation;
    private readonly Dictionary<SimulatedNodeState, Ear> _ears;

    /// <summary>Begins when the nodes are there.</summary>
    public WorldTruth(PairSimulation simulation)
    {
        _simulation = simulation;
        _ears = simulation.Nodes.ToDictionary(node => node, _ => new Ear());
    }

    /// <summary>To be called before and after whatever changes what can be heard.</summary>
    public void Changed()
    {
        foreach (SimulatedNodeState node in _simulation.Nodes)
        {
            Update(node, _ears[node]);
        }
    }

    /// <summary>Something changed now, and changes back at that time.</summary>
    public void ChangesUntil(long timeNs)
    {
        Changed();
        _simulation.World.Schedule(timeNs - _simulation.World.NowNs, Changed);
    }

    /// <summary>The node's clock jumps: what it waits for comes so much earlier.</summary>
    public void ClockJumps(SimulatedNodeState node, long byNs)
    {
        Changed();
        _ears[node].SinceNs -= byNs;
    }

    /// <summary>
    /// World time at which the node could last call its peer lost: nothing of it had reached the node for about
    /// dead-after, or its daemon was gone, or its loop stood still.
    /// </summary>
    public long CouldCallLostAtNs(SimulatedNodeState node)
    {
        Changed();
        return _ears[node].CouldCallLostAtNs;
    }

    private void Update(SimulatedNodeState node, Ear ear)
    {
        long now = _simulation.World.NowNs;
        if (ear.SinceNs is { } since && (now - since >= ShortestNs || ear.PeerWasGone))
        {
            ear.CouldCallLostAtNs = now;
        }

        SimulatedNodeState peer = _simulation.PeerOf(node);
        bool isSilent = !peer.IsAwake || !_simulation.Networks.IsAnyOpen(peer.Name, node.Name);
        ear.SinceNs = !isSilent || !node.IsRunning || node.IsPaused ? null : ear.SinceNs ?? now;
        ear.PeerWasGone = ear.SinceNs is not null && (ear.PeerWasGone || !peer.IsRunning);
    }

    private sealed class Ear
    {
        /// <summary>Since when the node has heard nothing while it ran; null: it hears something, or does not run.</summary>
        public long? SinceNs { get; set; }

        public bool PeerWasGone { get; set; }

        public long CouldCallLostAtNs { get; set; } = long.MinValue / 2;
    }
}
