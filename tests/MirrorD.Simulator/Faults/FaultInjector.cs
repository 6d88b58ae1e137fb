using MirrorD.Formats.Metadata;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Oracle;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// Breaks things at random times and, more often, a random number of events after something changed, so that
/// also the short windows of handshake, joining and promotion are hit. Each fault ends by itself after a
/// while.
/// </summary>
public sealed class FaultInjector(PairSimulation simulation)
{
    private const long Millisecond = 1_000_000;

    private readonly SeededRandom _random = simulation.World.Random.Fork();
    private long _armedAtStep = long.MaxValue;
    private bool _isStopped;

    /// <summary>Metadata was damaged, once: what it said is gone, and an operator may have to decide.</summary>
    public bool HasRotted { get; private set; }

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
        simulation.World.Network.Mend("a", "b");
        simulation.Arbiter.CutOff.Clear();
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
            Inject();
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

    private void Inject()
    {
        SimulatedNodeState node = simulation.Nodes[_random.Below(2)];
        switch (Draw())
        {
            case 0:
                Kill(node);
                break;
            case 1:
                CutPower(node);
                break;
            case 2:
                CutPower(simulation.Nodes[0]);
                CutPower(simulation.Nodes[1]);
                break;
            case 3:
                simulation.Tally.LinkCuts++;
                simulation.World.Network.Cut("a", "b");
                ScheduleMend();
                break;
            case 4:
                simulation.Tally.LinkCuts++;
                simulation.World.Network.CutOneWay(node.Name, node.PeerName);
                ScheduleMend();
                break;
            case 5:
                simulation.Tally.LinkCuts++;
                simulation.World.Network.Reset("a", "b");
                break;
            case 6:
                simulation.Operator.StopNode(node);
                break;
            default:
                simulation.Tally.Pauses++;
                simulation.World.Pause(node.Name, Duration() / 2);
                break;
        }

        if (_random.Percent(5))
        {
            simulation.Arbiter.CutOff.Add(node.Name);
            simulation.World.Schedule(Duration(), () => simulation.Arbiter.CutOff.Remove(node.Name));
        }
    }

    private int Draw()
    {
        int[] weights = simulation.Scenario.FaultWeights;
        int drawn = _random.Below(weights.Sum());
        int kind = 0;
        while (drawn >= weights[kind])
        {
            drawn -= weights[kind++];
        }

        return kind;
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

        simulation.World.Schedule(Duration(), () => simulation.StartNode(node));
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

    private void ScheduleMend() =>
        simulation.World.Schedule(Duration(), () => simulation.World.Network.Mend("a", "b"));

    private long Duration() => _random.Below(4) switch
    {
        0 => _random.Between(1, 50) * Millisecond,
        1 or 2 => _random.Between(50, 1500) * Millisecond,
        _ => _random.Between(1500, 8000) * Millisecond,
    };
}
