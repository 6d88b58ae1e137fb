using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;

namespace MirrorD.Simulator;

/// <summary>
/// An operator who disconnects nodes at any moment, connects them again after a while, and throws copies of Standbys
/// away. What was thrown away holds anything from then on. In the end both nodes are connected.
/// </summary>
public sealed class Maintenance(PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;

    private readonly SeededRandom _random = new(simulation.Scenario.Seed ^ 0x75706b65);
    private bool _ends;

    /// <summary>Begins, if the seed has it.</summary>
    public void Start()
    {
        if (simulation.Scenario.MaintenanceEveryNs > 0)
        {
            Wait();
        }
    }

    /// <summary>Nothing more is disconnected.</summary>
    public void End() => _ends = true;

    private void Wait() =>
        simulation.World.Schedule(_random.Between(1, 2 * simulation.Scenario.MaintenanceEveryNs), Act);

    private void Act()
    {
        Wait();
        SimulatedNodeState node = simulation.Nodes[_random.Below(2)];
        int what = _random.Below(100);
        SimulatedNodeState? apart = Array.Find(simulation.Nodes, each => each.Status is { HoldUp.State: "Disconnected" });
        SimulatedNodeState? joined = Array.Find(
            simulation.Nodes, each => each.Status is { Link: LinkState.Joined, Role: Role.Standby });
        if (_ends)
        {
            Array.ForEach(simulation.Nodes, Connect);
        }
        else if (apart is not null && what < 85)
        {
            Connect(what < 65 ? apart : simulation.PeerOf(apart));
        }
        else if (joined is not null && what < 60)
        {
            Invalidate(joined);
        }
        else if (node.Status is not null)
        {
            node.Command(new ResourceCommand.Disconnect(), outcome =>
            {
                simulation.Note($"{node.Name}: disconnect: {outcome.Message}");
                simulation.Tally.Disconnects += outcome.Succeeded ? 1 : 0;
            });
        }
    }

    private static void Connect(SimulatedNodeState node)
    {
        if (node.Status is not null)
        {
            node.Command(new ResourceCommand.Connect(), _ => { });
        }
    }

    private void Invalidate(SimulatedNodeState node)
    {
        SimulatedLoop? loop = node.Loop;
        node.Command(new ResourceCommand.Invalidate(), outcome =>
        {
            simulation.Note($"{node.Name}: invalidate: {outcome.Message}");
            if (outcome.Succeeded && node.Loop == loop)
            {
                simulation.Tally.Invalidated++;
                SpoilOnceApart(node, loop, tries: 50);
            }
        });
    }

    /// <summary>Until the peer has noticed too, it may still answer with what this copy had vouched for before.</summary>
    private void SpoilOnceApart(SimulatedNodeState node, SimulatedLoop? loop, int tries)
    {
        bool isJoined = node.Status?.Link == LinkState.Joined
            || simulation.PeerOf(node).Status?.Link is LinkState.Joined or LinkState.Joining;
        if (node.Loop != loop || tries == 0)
        {
            return;
        }

        if (isJoined)
        {
            simulation.World.Schedule(Millisecond / 2, () => SpoilOnceApart(node, loop, tries - 1));
        }
        else if (node.Status is { Link: LinkState.Disconnected })
        {
            Array.ForEach(node.Copies, Spoil);
        }
    }

    private void Spoil(VolumeCopy copy)
    {
        byte[] junk = new byte[4096];
        long blocks = Math.Min(copy.StoredBytes - simulation.Scenario.ReservedBytes, copy.Placement.DataBytes) / junk.Length;
        for (int i = 0; i < 4; i++)
        {
            _random.Fill(junk);
            copy.Data.Put(_random.Below((int)blocks) * (long)junk.Length, junk);
        }
    }
}
