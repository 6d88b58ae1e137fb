using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Devices;
using MirrorD.Simulator.Oracle;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// Breaks things at random times and, more often, a random number of events after something changed, so that
/// also the short windows of handshake, joining and promotion are hit. Each fault ends by itself after a
/// while.
/// </summary>
public sealed class FaultInjector(PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;
    private const long AnswersNs = 200 * Millisecond;

    private readonly SeededRandom _random = simulation.World.Random.Fork();
    private long _armedAtStep = long.MaxValue;
    private bool _isStopped;

    /// <summary>Metadata was damaged, once: what it said is gone, and an operator may have to decide.</summary>
    public bool HasRotted { get; private set; }

    private Networks Networks => simulation.Networks;

    /// <summary>Begins.</summary>
    public void Start()
    {
        if (simulation.Scenario.FaultEveryNs > 0)
        {
            ScheduleNext();
        }
    }

    /// <summary>No more faults; what is broken is mended and what is off is started.</summary>
    public void Stop()
    {
        _isStopped = true;
        _armedAtStep = long.MaxValue;
        Networks.MendAll();
        simulation.Arbiter.CutOff.Clear();
        simulation.Arbiter.AnswersLost.Clear();
        simulation.Arbiter.IsReliable = true;
    }

    /// <summary>Something changed: a fault may follow within some events.</summary>
    public void SomethingChanged()
    {
        if (!_isStopped && simulation.Scenario.FaultEveryNs > 0 && _random.Percent(8))
        {
            _armedAtStep = simulation.World.Steps + _random.Below(_random.Percent(50) ? 40 : 400);
        }
    }

    /// <summary>After each event of the world.</summary>
    public void Stepped()
    {
        if (simulation.World.Steps >= _armedAtStep)
        {
            _armedAtStep = long.MaxValue;
            Inject(Draw());
            if (_random.Percent(simulation.Scenario.PairedFaultsPercent))
            {
                Inject(Draw());
            }
        }
    }

    private void ScheduleNext() => simulation.World.Schedule(
        _random.Between(0, 2 * simulation.Scenario.FaultEveryNs),
        () =>
        {
            if (!_isStopped)
            {
                _armedAtStep = simulation.World.Steps + _random.Below(30);
                ScheduleNext();
            }
        });

    private void Inject(FaultKind kind)
    {
        SimulatedNodeState node = simulation.Nodes[_random.Below(2)];
        simulation.Tally.Faults.Add(kind.ToString());
        switch (kind)
        {
            case FaultKind.Kill:
                Kill(node);
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
    /// A node has taken over: often it ends at once and is back soon, and the old Primary finds a way to it, but not
    /// that of the link.
    /// </summary>
    public void TookOver(SimulatedNodeState node)
    {
        if (_isStopped || simulation.Scenario.FaultEveryNs == 0 || !_random.Percent(40))
        {
            return;
        }

        simulation.World.Schedule(_random.Below(300) * Millisecond, () =>
        {
            if (_isStopped || !node.IsRunning)
            {
                return;
            }

            simulation.Tally.Crashes++;
            simulation.NodeDies(node, cutsPower: false);
            simulation.World.Schedule(_random.Below(100) * Millisecond, () => simulation.StartNode(node));
            Networks.Cut(Networks.Dedicated, "a", "b");
            AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
            simulation.World.Schedule(_random.Below(600) * Millisecond, () =>
            {
                Networks.RestoreCarrier(node.PeerName);
                Networks.Mend(Networks.Production, "a", "b");
            });
        });
    }

    private void Flap()
    {
        Networks.Cut(Networks.Dedicated, "a", "b");
        DelayAnswers();
        long backNs = _random.Between(500, 900) * Millisecond;
        long againNs = backNs + _random.Between(150, 600) * Millisecond;
        simulation.World.Schedule(backNs, () => Networks.Mend(Networks.Dedicated, "a", "b"));
        simulation.World.Schedule(againNs, () =>
        {
            if (!_isStopped)
            {
                Networks.Cut(Networks.Dedicated, "a", "b");
                simulation.World.Network.Reset("a", "b");
                SimulatedNodeState[] standbys =
                    Array.FindAll(simulation.Nodes, node => node.Status?.Role == Role.Standby);
                Array.ForEach(standbys, node => node.Pause(_random.Between(500, 2000) * Millisecond));
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
            }
        });
    }

    /// <summary>
    /// What is said when the loss is noticed comes once, and mostly late; for less time than it takes to miss a node.
    /// </summary>
    private void DelayAnswers()
    {
        SimulatedNetwork network = simulation.World.Network;
        simulation.World.Schedule(simulation.Scenario.LinkTimeoutMs * Millisecond - AnswersNs / 4, () =>
        {
            network.DatagramReorderPercent = 90;
            network.DatagramDuplicatePercent = 0;
        });
        simulation.World.Schedule(simulation.Scenario.LinkTimeoutMs * Millisecond + AnswersNs, () =>
        {
            network.DatagramReorderPercent = simulation.Scenario.LateDatagramsPercent;
            network.DatagramDuplicatePercent = simulation.Scenario.LateDatagramsPercent;
        });
    }

    private void BreakNetworks(FaultKind kind, SimulatedNodeState node)
    {
        simulation.Tally.Cuts++;
        switch (kind)
        {
            case FaultKind.DedicatedCut:
                Networks.Cut(Networks.Dedicated, "a", "b");
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
                break;
            case FaultKind.DedicatedOneWay:
                Networks.CutOneWay(Networks.Dedicated, node.Name, node.PeerName);
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
                break;
            case FaultKind.ProductionCut:
                Networks.Cut(Networks.Production, "a", "b");
                AfterAWhile(() => Networks.Mend(Networks.Production, "a", "b"));
                break;
            case FaultKind.ProductionOneWay:
                Networks.CutOneWay(Networks.Production, node.Name, node.PeerName);
                AfterAWhile(() => Networks.Mend(Networks.Production, "a", "b"));
                break;
            case FaultKind.OneWayPartition:
                Networks.CutOneWay(Networks.Dedicated, node.Name, node.PeerName);
                Networks.CutOneWay(Networks.Production, node.Name, node.PeerName);
                MendLater();
                break;
            case FaultKind.CarrierLoss:
                LoseCarrier(node);
                break;
            case FaultKind.Isolation:
                Networks.Cut(Networks.Dedicated, "a", "b");
                LoseCarrier(node);
                AfterAWhile(() => Networks.Mend(Networks.Dedicated, "a", "b"));
                break;
            case FaultKind.Partition:
                string[] others = [Networks.Client, Networks.Gateway, Networks.Arbiter];
                Networks.Partition([.. others.Where(_ => _random.Percent(50))]);
                MendLater();
                break;
        }
    }

    /// <summary>Both networks come back, one after the other or at once.</summary>
    private void MendLater()
    {
        if (_random.Percent(50))
        {
            AfterAWhile(Networks.MendNetworks);
            return;
        }

        AfterAWhile(() => Networks.Mend(_random.Percent(50) ? Networks.Dedicated : Networks.Production, "a", "b"));
        AfterAWhile(Networks.MendNetworks);
    }

    private void LoseCarrier(SimulatedNodeState node)
    {
        Networks.LoseCarrier(node.Name);
        AfterAWhile(() =>
        {
            Networks.RestoreCarrier(node.Name);
            node.Host?.CarrierIsBack();
        });
    }

    private void LoseArbiter(HashSet<string> lost, SimulatedNodeState node)
    {
        SimulatedNodeState[] nodes = _random.Percent(40) ? simulation.Nodes : [node];
        Array.ForEach(nodes, each => lost.Add(each.Name));
        AfterAWhile(() => Array.ForEach(nodes, each => lost.Remove(each.Name)));
    }

    private FaultKind Draw()
    {
        int[] weights = simulation.Scenario.FaultWeights;
        int drawn = _random.Below(weights.Sum());
        int kind = 0;
        while (drawn >= weights[kind])
        {
            drawn -= weights[kind++];
        }

        return (FaultKind)kind;
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
            KernelDevice device = server.Devices[_random.Below(server.Devices.Length)];
            device.WhenBusy(() =>
            {
                if (!_isStopped)
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
        _random.Between(10, _random.Percent(70) ? 200 : 2000) * Millisecond,
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
        simulation.World.Schedule(_random.Between(200, 3000) * Millisecond, Exit);

        void Exit()
        {
            if (node.Loop == loop)
            {
                simulation.NodeDies(node, cutsPower: false);
                StartSoon(node);
            }
        }
    }

    private void CutPower(SimulatedNodeState node)
    {
        simulation.Tally.PowerCuts++;
        simulation.NodeDies(node, cutsPower: true);
        ScheduleStart(node);
    }

    private void ScheduleStart(SimulatedNodeState node)
    {
        if (!HasRotted && _random.Percent(10))
        {
            HasRotted = true;
            Rot(node.Copies[_random.Below(node.Copies.Length)]);
        }

        AfterAWhile(() => simulation.StartNode(node));
    }

    /// <summary>
    /// One superblock slot or one page of the dirty map goes bad. (A log transaction is not damaged: the
    /// newest one can't be told from one that was torn before anything relied on it.)
    /// </summary>
    private void Rot(VolumeCopy copy)
    {
        long block = _random.Percent(50)
            ? MetadataLayout.SuperblockOffset(_random.Below(MetadataLayout.SuperblockSlots))
            : new MetadataLayout(copy.Placement.DataBytes).PageOffset(0);
        byte[] bytes = new byte[Stamp.SectorBytes];
        long at = copy.Placement.MetadataOffset + block + _random.Below(8) * Stamp.SectorBytes;
        copy.Metadata.Peek(at, bytes);
        bytes[_random.Below(bytes.Length)] ^= (byte)(1 << _random.Below(8));
        copy.Metadata.Put(at, bytes);
        simulation.Note($"{copy.Metadata.Name}: bit rot at {at}");
    }

    private void AfterAWhile(Action action) => simulation.World.Schedule(Duration(), action);

    private long Duration() => _random.Below(4) switch
    {
        > 0 when simulation.Scenario.HasLongFaults => _random.Between(800, 5000) * Millisecond,
        0 => _random.Between(1, 50) * Millisecond,
        1 or 2 => _random.Between(50, 1500) * Millisecond,
        _ => _random.Between(1500, 8000) * Millisecond,
    };
}
