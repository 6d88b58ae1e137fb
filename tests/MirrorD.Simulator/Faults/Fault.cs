using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Devices;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// One fault, from its begin to its end. It draws from numbers of its own, so that it is the same whatever other faults
/// there are.
/// </summary>
internal sealed partial class Fault(PairSimulation simulation, FaultInjector injector, SeededRandom random)
{
    private const long Millisecond = 1_000_000;

    private Networks Networks => simulation.Networks;

    /// <summary>There is something that it can break, now.</summary>
    public bool HasTarget(FaultKind kind, SimulatedNodeState node) => kind switch
    {
        FaultKind.Kill or FaultKind.Pause or FaultKind.StuckLoop or FaultKind.PlannedStop => node.IsRunning,
        FaultKind.HastyReturn => Array.Exists(simulation.Nodes, IsJoinedStandby),
        FaultKind.ArbiterAway or FaultKind.ArbiterMute => simulation.Scenario.HasArbiter,
        FaultKind.GatewayDeath => simulation.Scenario.HasGateway,
        FaultKind.Restart or FaultKind.QuickKill or FaultKind.DeviceCut =>
            simulation.Scenario.HasDevices && Array.Exists(simulation.Nodes, each => each.Status?.Role == Role.Primary),
        _ => true,
    };

    /// <summary>Begins now.</summary>
    public void Begin(FaultKind kind, SimulatedNodeState node)
    {
        switch (kind)
        {
            case FaultKind.Kill:
                Kill(node);
                break;
            case FaultKind.PowerCut when random.Percent(50):
                WhenStoring(node, () => CutPower(node));
                break;
            case FaultKind.PowerCut:
                CutPower(node);
                break;
            case FaultKind.BothPowerCut:
                CutPower(simulation.Nodes[0]);
                CutPower(simulation.Nodes[1]);
                break;
            case FaultKind.Reset:
                simulation.World.Network.Reset("a", "b");
                break;
            case FaultKind.PlannedStop:
                simulation.Operator.StopNode(node);
                break;
            case FaultKind.Pause:
                node.Pause(Duration() / 2);
                break;
            case FaultKind.StuckLoop:
                node.Stick(Duration() / 2);
                break;
            case FaultKind.ClockJump:
                node.JumpClock(Duration() / 4);
                break;
            case FaultKind.Flap:
                Flap();
                break;
            case FaultKind.HastyReturn:
                ReturnHastily();
                break;
            case FaultKind.ArbiterAway:
                LoseArbiter(simulation.Arbiter.CutOff, node);
                break;
            case FaultKind.ArbiterMute:
                LoseArbiter(simulation.Arbiter.AnswersLost, node);
                break;
            case FaultKind.Restart:
                WhenBusy(Restart);
                break;
            case FaultKind.QuickKill:
                WhenBusy(KillForAMoment);
                break;
            case FaultKind.DeviceCut:
                WhenBusy((_, device) => device.CutLink());
                break;
            case FaultKind.TakeoverDeath:
                DieWithRight(node, random.Below(300) * Millisecond);
                break;
            case FaultKind.ClaimantDeath:
                DieWithRight(node, 0);
                break;
            case FaultKind.TargetPowerCut:
                simulation.World.Schedule(random.Below(random.Percent(70) ? 30 : 1000) * Millisecond, () =>
                {
                    if (!injector.IsStopped && node.IsRunning)
                    {
                        CutPower(node);
                    }
                });
                break;
            case FaultKind.SlowDisk:
                SlowDown(node);
                break;
            case FaultKind.GatewayDeath:
                Networks.GatewayIsDead = true;
                AfterAWhile(() => Networks.GatewayIsDead = false);
                break;
            default:
                BreakNetworks(kind, node);
                break;
        }
    }

    /// <summary>
    /// A node that has the right to serve ends and is back soon, and the old Primary finds a way to it, but not that of the
    /// link.
    /// </summary>
    private void DieWithRight(SimulatedNodeState node, long afterNs)
    {
        simulation.World.Schedule(afterNs, () =>
        {
            if (injector.IsStopped || !node.IsRunning)
            {
                return;
            }

            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            simulation.World.Schedule(random.Below(100) * Millisecond, () => simulation.StartNode(node));
            Networks.Cut(Networks.Dedicated, "a", "b");
            AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
            simulation.World.Schedule(random.Below(600) * Millisecond, () =>
            {
                Networks.RestoreCarrier(node.PeerName);
                Networks.Mend(Networks.Production, "a", "b");
            });
        });
    }

    private void Kill(SimulatedNodeState node)
    {
        if (node.IsRunning)
        {
            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            ScheduleStart(node);
        }
    }

    /// <summary>Strikes while a device of the node that serves has requests under way.</summary>
    private void WhenBusy(Action<SimulatedNodeState, KernelDevice> strike)
    {
        if (Array.Find(simulation.Nodes, node => node.Status?.Role == Role.Primary) is { } server)
        {
            KernelDevice device = server.Devices[random.Below(server.Devices.Length)];
            device.WhenBusy(() =>
            {
                if (!injector.IsStopped)
                {
                    strike(server, device);
                }
            });
        }
    }

    private void KillForAMoment(SimulatedNodeState node, KernelDevice device)
    {
        if (node.IsRunning)
        {
            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            StartSoon(node);
        }
    }

    private void StartSoon(SimulatedNodeState node) => simulation.World.Schedule(
        random.Between(10, random.Percent(70) ? 200 : 2000) * Millisecond,
        () => simulation.StartNode(node));

    /// <summary>What clients ask for may be held for long: then the daemon ends all the same.</summary>
    private void Restart(SimulatedNodeState node, KernelDevice device)
    {
        SimulatedLoop? loop = node.Loop;
        if (loop is null)
        {
            return;
        }

        simulation.Tally.Restarts++;
        node.Finish(() => simulation.World.Schedule(0, Exit));
        simulation.World.Schedule(random.Between(200, 3000) * Millisecond, Exit);

        void Exit()
        {
            if (node.Loop == loop)
            {
                simulation.NodeDies(node, cutsPower: false);
                StartSoon(node);
            }
        }
    }

    private void AfterAWhile(Action action) => simulation.World.Schedule(Duration(), action);

    private long Duration() => random.Below(4) switch
    {
        > 0 when simulation.Scenario.HasLongFaults => random.Between(800, 5000) * Millisecond,
        0 => random.Between(1, 50) * Millisecond,
        1 or 2 => random.Between(50, 1500) * Millisecond,
        _ => random.Between(1500, 8000) * Millisecond,
    };
}
