using MirrorD.Core.Handshake;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;

namespace MirrorD.Simulator;

/// <summary>
/// A person with mirrorctl who follows the status of both nodes: promotes when nobody else will, now and then switches
/// over or stops a node, and forces nothing unless the scenario says so. Where the nodes take over by themselves
/// this person has patience, and in the end interferes no more than with what was demoted by command.
/// </summary>
public sealed class Operator(PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;
    private const long CommandPatienceNs = 5_000 * Millisecond;
    private const long StuckNs = 6_000 * Millisecond;

    private readonly SeededRandom _random = simulation.World.Random.Fork();
    private readonly SeededRandom _pauses = new(simulation.Scenario.Seed ^ 0x70617573);
    private readonly SeededRandom _growths = new(simulation.Scenario.Seed ^ 0x67726f78);
    private readonly SeededRandom _words = new(simulation.Scenario.Seed ^ 0x776f7264);
    private long _nextWordNs;
    private long _nextGrowthNs;
    private long _busyUntilNs;
    private long _nextSwitchNs;
    private long _servedAtNs;
    private long _primarySeenAtNs;
    private int _command;
    private int _stops;

    // Whoever demotes, or stops a Primary, sees to it that somebody serves afterwards; so after the creation.
    private bool _owesPromotion = true;

    /// <summary>Changes of role happen only when needed.</summary>
    public bool IsQuiet { get; set; }

    /// <summary>No command and no planned stop is under way.</summary>
    public bool IsIdle => simulation.World.NowNs >= _busyUntilNs && _stops == 0;

    /// <summary>Nodes take over by themselves, for certain.</summary>
    private bool MayLeaveItToTheNodes => simulation.Scenario is { Autoswitch: true, HasArbiter: true }
        && !simulation.HasRotted;

    /// <summary>Begins.</summary>
    public void Start()
    {
        _nextSwitchNs = NextSwitch();
        Look();
    }

    /// <summary>Stops a node's daemon as planned, and starts it again after a while.</summary>
    public void StopNode(SimulatedNodeState node, long longestNs = 4_000_000_000)
    {
        if (!node.IsRunning)
        {
            return;
        }

        SimulatedLoop? loop = node.Loop;
        bool gone = false;
        _stops++;
        _owesPromotion |= node.Status?.Role == Role.Primary;
        node.Command(
            new ResourceCommand.Stop(simulation.Scenario.HandsOverOnStop),
            _ => node.EndWatch(() => simulation.World.Schedule(0, Exit)));
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
                    _random.Between(10 * Millisecond, longestNs), () => simulation.StartNode(node));
            }
        }
    }

    /// <summary>Gives the role of a node without disk to its peer.</summary>
    public void SwitchOver(SimulatedNodeState primary)
    {
        if (IsIdle)
        {
            _owesPromotion = true;
            Run(primary, new ResourceCommand.Switchover(), () => simulation.Tally.Switchovers++);
        }
    }

    private void Look()
    {
        simulation.World.Schedule(_random.Between(100, 700) * Millisecond, Look);
        long now = simulation.World.NowNs;
        PauseSyncs();
        GrowVolumes();
        SimulatedNodeState[] primaries =
            [.. simulation.Nodes.Where(node => node.Status?.Role == Role.Primary)];
        if (primaries.Length > 0)
        {
            _primarySeenAtNs = now;
            _servedAtNs = primaries.Any(node => node.Status!.HoldUp is null or { State: "SyncPaused" or "Disconnected" })
                ? now : _servedAtNs;
        }

        if (now < _busyUntilNs)
        {
            return;
        }

        if (simulation.Nodes.All(node => node.Status?.HoldUp?.State == "SplitBrain"))
        {
            EndSplit();
        }
        else if (primaries.Length == 0)
        {
            if (_owesPromotion || IsNeeded(now))
            {
                Promote();
            }
        }
        else if (simulation.Scenario.Forces && now - _servedAtNs > StuckNs)
        {
            Force(primaries);
        }
        else if (!IsQuiet && simulation.Scenario.SwitchEveryNs > 0 && now >= _nextSwitchNs)
        {
            _nextSwitchNs = NextSwitch();
            Switch(primaries[0]);
        }
    }

    /// <summary>Grows volumes that began smaller, by either node, until it has come to pass.</summary>
    private void GrowVolumes()
    {
        if (simulation.Scenario.StartBytes == 0 || IsQuiet || simulation.World.NowNs < _nextGrowthNs)
        {
            return;
        }

        SimulatedNodeState node = simulation.Nodes[_growths.Below(2)];
        if (node.Status is { Link: LinkState.Joined } && _growths.Percent(25)
            && Array.Exists(node.Copies, copy => copy.StoredBytes < simulation.Scenario.VolumeBytes))
        {
            _nextGrowthNs = simulation.World.NowNs + _growths.Between(500, 3000) * Millisecond;
            node.Command(new ResourceCommand.Resize(), outcome => simulation.Tally.Growths += outcome.Succeeded ? 1 : 0);
        }
    }

    /// <summary>Pauses what is being copied, and sees to it that no pause outlasts the faults.</summary>
    private void PauseSyncs()
    {
        int percent = simulation.Scenario.PausePercent;
        foreach (SimulatedNodeState node in simulation.Nodes)
        {
            if (percent == 0 || node.Status is null)
            {
                continue;
            }

            if (IsQuiet || _pauses.Percent(40))
            {
                node.Command(new ResourceCommand.ResumeSync(), _ => { });
            }
            else if (node.Status.Link is LinkState.SyncSource or LinkState.SyncTarget && _pauses.Percent(percent))
            {
                simulation.Tally.Pauses++;
                node.Command(new ResourceCommand.PauseSync(), _ => { });
            }
        }
    }

    /// <summary>Nobody is Primary, and that is not to be left to the nodes.</summary>
    private bool IsNeeded(long now)
    {
        if (!simulation.Scenario.Autoswitch)
        {
            return true;
        }

        return now - _primarySeenAtNs > StuckNs / 2 && _random.Percent(30)
            && !(IsQuiet && MayLeaveItToTheNodes && !IsNobodysRole());
    }

    /// <summary>
    /// Joined, and nothing says whose role it is: who was Primary crashed again after the join and before it resumed.
    /// </summary>
    private bool IsNobodysRole() => simulation.Scenario.Preferred is null && simulation.Nodes.All(
        node => node.Status is { Role: Role.Standby, Link: LinkState.Joined });

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

        Run(chosen, new ResourceCommand.Promote(forced), () =>
        {
            simulation.Tally.Promotions++;
            _owesPromotion = false;
        });
    }

    private void Force(SimulatedNodeState[] primaries)
    {
        SimulatedNodeState? other = simulation.Nodes.FirstOrDefault(
            node => node.Status is not null && !primaries.Contains(node));
        SimulatedNodeState chosen = other is not null && _random.Percent(50) ? other : primaries[0];
        Run(chosen, new ResourceCommand.Promote(true), () => simulation.Tally.Promotions++);
    }

    /// <summary>
    /// One copy gives way; it has to be a Standby's. Where there is a policy this person often waits for it, for longer than it
    /// takes until the nodes meet again.
    /// </summary>
    private void EndSplit()
    {
        if (simulation.World.NowNs < _nextWordNs)
        {
            return;
        }

        SimulatedNodeState chosen = simulation.Nodes[_random.Below(simulation.Nodes.Length)];
        if (chosen.Status!.Role == Role.Primary)
        {
            _owesPromotion = true;
            bool waits = simulation.Scenario.PolicyOfA != SplitBrainPolicy.Manual && _words.Percent(70);
            _nextWordNs = waits ? simulation.World.NowNs + 12_000 * Millisecond : 0;
            Run(chosen, new ResourceCommand.Demote(), () => { });
        }
        else
        {
            simulation.Oracle.AcceptLoss();
            Run(chosen, new ResourceCommand.DiscardCopy(), () => simulation.Tally.Discards++);
        }
    }

    private void Switch(SimulatedNodeState primary)
    {
        SimulatedNodeState other = simulation.PeerOf(primary);
        if (primary.Status?.Link != LinkState.Joined || other.Status is null)
        {
            return;
        }

        // Until both know, nobody may be Primary; and a switchover may end half way.
        _owesPromotion = true;
        switch (_random.Below(5))
        {
            case 0 or 1:
                Run(other, new ResourceCommand.RequestRole(), () => simulation.Tally.Switchovers++);
                break;
            case 2 or 3:
                Run(primary, new ResourceCommand.HandOver(), () => simulation.Tally.Switchovers++);
                break;
            default:
                Run(primary, new ResourceCommand.Demote(), () => simulation.Tally.Switchovers++);
                break;
        }
    }

    private void Run(SimulatedNodeState node, ResourceCommand command, Action succeeded)
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
            simulation.Roles.CommandEnded(node, command);
            if (number == _command)
            {
                _busyUntilNs = simulation.World.NowNs;
            }

            if (outcome.Succeeded)
            {
                succeeded();
            }
        });
    }

    private long NextSwitch() =>
        simulation.World.NowNs + _random.Between(0, 2 * Math.Max(1, simulation.Scenario.SwitchEveryNs));
}
