using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>What the daemon is to a resource, for one process of a simulated node.</summary>
public sealed class NodeHost(SimulatedNodeState node, SimulatedLoop loop, PairSimulation simulation)
    : IResourceHost
{
    private Action<string?>? _hooksEnded;
    private int _hookRun;
    private int _addressChange;

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

    /// <summary>The service addresses are here.</summary>
    public bool HoldsAddresses { get; private set; }

    /// <inheritdoc/>
    public void RunHooks(HookStep step, Role role, Action<string?> ended)
    {
        string? failure = simulation.World.Random.Percent(2) ? $"the {step.NameOf()} hook failed" : null;
        int run = ++_hookRun;
        _hooksEnded = ended;
        After(50, () => EndHooks(run, failure));
    }

    /// <inheritdoc/>
    public void CancelHooks()
    {
        int run = _hookRun;
        loop.Post(() => EndHooks(run, "the hook was ended, as it is no longer wanted"));
    }

    /// <inheritdoc/>
    public void OpenExports(Action done) => After(5, done);

    /// <inheritdoc/>
    public void CloseExports(Action done) => After(20, done);

    /// <inheritdoc/>
    public void AddAddresses(Action<IReadOnlyList<string>> done)
    {
        int change = ++_addressChange;
        After(20, () =>
        {
            HoldsAddresses |= change == _addressChange;
            done([]);
        });
    }

    /// <inheritdoc/>
    public void RemoveAddresses(Action done)
    {
        _addressChange++;
        After(20, () =>
        {
            HoldsAddresses = false;
            done();
        });
    }

    /// <inheritdoc/>
    public void ProbeAddresses(Action<string?> answered) => After(400, () =>
        answered(simulation.PeerOf(node).Host?.HoldsAddresses == true ? $"192.0.2.7 by {node.PeerName}" : null));

    /// <inheritdoc/>
    public void StuckChanged(bool isStuck)
    {
    }

    public void ProbeGateway(Action<GatewayEvidence> answered) =>
        After(100, () => answered(GatewayEvidence.NotConfigured));

    /// <inheritdoc/>
    public void RoleRecorded(RoleRecord record) => simulation.Note(
        $"{node.Name}: {record.Kind} {(record.Succeeded ? "succeeded" : "failed")}: {record.Reason}");

    /// <inheritdoc/>
    public void Publish(ResourceStatus status) => simulation.StatusPublished(node, status);

    /// <inheritdoc/>
    public void Raise(ResourceEvent happened) =>
        simulation.Note($"{node.Name}: [{happened.Kind}] {happened.Message}");

    private void EndHooks(int run, string? failure)
    {
        if (run == _hookRun && _hooksEnded is { } ended)
        {
            _hooksEnded = null;
            ended(failure);
        }
    }

    /// <summary>What the daemon does takes a while, and ends with its process.</summary>
    private void After(long atMostMs, Action action) => simulation.World.Schedule(
        simulation.World.Random.Between(0, atMostMs * 1_000_000), () =>
        {
            if (!loop.IsDead)
            {
                loop.Post(action);
            }
        });
}
