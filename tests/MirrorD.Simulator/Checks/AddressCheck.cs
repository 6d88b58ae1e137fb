using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Checks;

/// <summary>
/// The service address is on one node, and on none that is surely without right (I-17), but for the time that its
/// removal takes. A kernel whose process is dead or stands still keeps what it has: that is the documented exception.
/// An old Primary that can reach neither peer nor arbiter does not know of its successor: so are the addresses of
/// both sides of a partition.
/// </summary>
public sealed class AddressCheck
{
    private const long Millisecond = 1_000_000;
    private const long LookEveryNs = 50 * Millisecond;

    /// <summary>A removal waits for the turn of the loop, and for a command that runs.</summary>
    private const long RemovalNs = 1500 * Millisecond;

    /// <summary>An old Primary asks peer and arbiter again each second, and the link connects anew.</summary>
    private const long LearningNs = 8000 * Millisecond;

    private readonly PairSimulation _simulation;
    private readonly Dictionary<SimulatedNodeState, long> _wrongSinceNs = [];
    private long? _bothSinceNs;

    /// <summary>Looks from now on.</summary>
    public AddressCheck(PairSimulation simulation)
    {
        _simulation = simulation;
        Look();
    }

    private void Look()
    {
        _simulation.World.Schedule(LookEveryNs, Look);
        long now = _simulation.World.NowNs;
        foreach (SimulatedNodeState node in _simulation.Nodes)
        {
            string? wrong = WhyWrong(node);
            if (wrong is null)
            {
                _wrongSinceNs.Remove(node);
            }
            else if (now - (_wrongSinceNs.TryAdd(node, now) ? now : _wrongSinceNs[node]) > RemovalNs)
            {
                throw new RuleBroken("I-17", $"{node.Name} keeps the service address although {wrong}");
            }
        }

        _bothSinceNs = AreBothWrong() ? _bothSinceNs ?? now : null;
        if (now - _bothSinceNs > LearningNs)
        {
            throw new RuleBroken("I-17", "both nodes keep the service address although they can learn of each other");
        }
    }

    private string? WhyWrong(SimulatedNodeState node)
    {
        if (!_simulation.Addresses.Holds(node.Name) || !node.IsAwake || node.Status is null)
        {
            return null;
        }

        Superblock? stored = node.Copies[0].Stored.Superblock;
        return stored is { WasPrimary: false } ? "it has stored that it is not Primary"
            : stored is { DiskState: DiskState.Outdated or DiskState.Inconsistent }
                && !(node.Status is { Link: LinkState.Diskless, DiskState: <= DiskState.Failed }) ? $"its copy is {stored.DiskState}"
            : node.Status.Role != Role.Primary ? $"it says that it is {node.Status.Role}"
            : null;
    }

    private bool AreBothWrong() => !_simulation.Oracle.AcceptsLoss
        && _simulation.Nodes.All(node => node.IsAwake && _simulation.Addresses.Holds(node.Name))
        && (_simulation.Networks.AnyConnects("a", "b")
            || (_simulation.Scenario.HasArbiter && _simulation.Nodes.All(node => _simulation.Arbiter.Answers(node.Name))));
}
