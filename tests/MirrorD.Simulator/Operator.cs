using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>
/// A person with mirrorctl who follows the status of both nodes: promotes when there is no Primary, now and
/// then switches over or stops a node, and forces nothing unless the scenario says so.
/// </summary>
public sealed class Operator(PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;
    private const long CommandPatienceNs = 5_000 * Millisecond;
    private const long StuckNs = 6_000 * Millisecond;

    private readonly SeededRandom _random = simulation.World.Random.Fork();
    private long _busyUntilNs;
    private long _nextSwitchNs;
    private long _servedAtNs;
    private int _command;
    private int _stops;

    /// <summary>Changes of role happen only when needed.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>No command and no planned stop is under way.</summary>
    public bool IsIdle => simulation.World.NowNs >= _busyUntilNs && _stops == 0;

    /// <summary>Begins.</summary>
    public void Start()
    {
        _nextSwitchNs = NextSwitch();
        Look();
    }

    /// <summary>Stops a node's daemon as planned, and starts it again after a while.</summary>
    public void StopNode(SimulatedNodeState node)
    {
        if (!node.IsRunning)
        {
            return;
        }

        SimulatedLoop? loop = node.Loop;
        bool gone = false;
        _stops++;
        node.Command(new ResourceCommand.Stop(), _ => simulation.World.Schedule(0, Exit));
        simulation.World.Schedule(10_000 * Millisecond, Exit);

        void Exit()
        {
            if (gone)
            {
                return;
            }

            gone = true;
            _stops--;
            if (node.Loop == loop)
            {
                simulation.NodeDies(node, cutsPower: false);
                simulation.World.Schedule(
                    _random.Between(10, 4000) * Millisecond, () => simulation.StartNode(node));
            }
        }
    }

    private void Look()
    {
        simulation.World.Schedule(_random.Between(100, 700) * Millisecond, Look);
        if (simulation.World.NowNs < _busyUntilNs)
        {
            return;
        }

        SimulatedNodeState[] primaries =
            [.. simulation.Nodes.Where(node => node.Status?.Role == Role.Primary)];
        if (primaries.Length > 0 && primaries.Any(node => node.Status!.HoldUp is null))
        {
            _servedAtNs = simulation.World.NowNs;
        }

        if (primaries.Length == 0)
        {
            Promote();
        }
        else if (simulation.Scenario.Forces && simulation.World.NowNs - _servedAtNs > StuckNs)
        {
            Force(primaries);
        }
        else if (!IsQuiet && simulation.Scenario.SwitchEveryNs > 0 && simulation.World.NowNs >= _nextSwitchNs)
        {
            _nextSwitchNs = NextSwitch();
            Switch(primaries[0]);
        }
    }

    private void Promote()
    {
        SimulatedNodeState[] running = [.. simulation.Nodes.Where(node => node.Status is not null)];
        if (running.Length == 0)
        {
            return;
        }

        SimulatedNodeState chosen = running[_random.Below(running.Length)];
        bool forced = simulation.Scenario.Forces && simulation.World.NowNs - _servedAtNs > StuckNs;
        if (!forced && chosen.Status!.Link != LinkState.Joined && _random.Percent(50))
        {
            // People wait a little for the other node to come.
            return;
        }

        Run(chosen, new ResourceCommand.Promote(forced), succeeded => simulation.Tally.Promotions++);
    }

    private void Force(SimulatedNodeState[] primaries)
    {
        SimulatedNodeState? other = simulation.Nodes.FirstOrDefault(
            node => node.Status is not null && !primaries.Contains(node));
        SimulatedNodeState chosen = other is not null && _random.Percent(50) ? other : primaries[0];
        Run(chosen, new ResourceCommand.Promote(true), _ => simulation.Tally.Promotions++);
    }

    private void Switch(SimulatedNodeState primary)
    {
        SimulatedNodeState other = simulation.PeerOf(primary);
        if (primary.Status?.Link != LinkState.Joined || other.Status is null)
        {
            return;
        }

        switch (_random.Below(5))
        {
            case 0 or 1:
                Run(other, new ResourceCommand.RequestRole(), _ => simulation.Tally.Switchovers++);
                break;
            case 2 or 3:
                Run(primary, new ResourceCommand.HandOver(), _ => simulation.Tally.Switchovers++);
                break;
            default:
                Run(primary, new ResourceCommand.Demote(), _ => simulation.Tally.Switchovers++);
                break;
        }
    }

    private void Run(SimulatedNodeState node, ResourceCommand command, Action<CommandOutcome> succeeded)
    {
        _busyUntilNs = simulation.World.NowNs + CommandPatienceNs;
        int number = ++_command;
        if (command is ResourceCommand.Promote { Force: true })
        {
            simulation.Oracle.AcceptLoss();
        }

        simulation.Roles.CommandGiven(node, command);
        node.Command(command, outcome =>
        {
            simulation.Roles.CommandEnded(node, command, outcome);
            if (number == _command)
            {
                _busyUntilNs = simulation.World.NowNs;
            }

            if (outcome.Succeeded)
            {
                succeeded(outcome);
            }
        });
    }

    private long NextSwitch() =>
        simulation.World.NowNs + _random.Between(0, 2 * Math.Max(1, simulation.Scenario.SwitchEveryNs));
}
