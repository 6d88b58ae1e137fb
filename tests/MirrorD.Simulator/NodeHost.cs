using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>What the daemon is to a resource, for one process of a simulated node.</summary>
public sealed class NodeHost(SimulatedNodeState node, SimulatedLoop loop, PairSimulation simulation)
    : IResourceHost
{
    /// <inheritdoc/>
    public bool HasArbiter => simulation.Scenario.HasArbiter;

    /// <inheritdoc/>
    public void ClaimSession(string resource, SessionId session, NodeId by, Action<ArbiterAnswer> answered) =>
        simulation.Arbiter.Claim(
            node.Name, resource, session, by, answer => loop.Post(() => answered(answer)));

    /// <inheritdoc/>
    public ulong NewIdentifier() => simulation.World.Random.NextBits() | 1;

    /// <inheritdoc/>
    public void FillRandom(Span<byte> bytes) => simulation.World.Random.Fill(bytes);

    /// <inheritdoc/>
    public void RoleChanged(Role role, string reason) =>
        simulation.Note($"{node.Name}: role {role}: {reason}");

    /// <inheritdoc/>
    public void PeerRequestsRole()
    {
        simulation.Note($"{node.Name}: the peer requests the role");
        simulation.World.Schedule(simulation.World.Random.Between(1_000_000, 50_000_000), () =>
        {
            if (node.Loop == loop)
            {
                node.Command(new ResourceCommand.HandOver(), _ => { });
            }
        });
    }

    /// <inheritdoc/>
    public void Publish(ResourceStatus status) => simulation.StatusPublished(node, status);

    /// <inheritdoc/>
    public void Raise(ResourceEvent happened) =>
        simulation.Note($"{node.Name}: [{happened.Kind}] {happened.Message}");
}
