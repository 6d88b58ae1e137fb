using MirrorD.Io.Simulated;

namespace MirrorD.Simulator.Faults;

/// <summary>
/// Breaks things at random times and, more often, a random number of events after something changed, so that
/// also the short windows of handshake, joining and promotion are hit. Each fault ends by itself after a
/// while. Or it does again what is on a list, and nothing else.
/// </summary>
public sealed class FaultInjector
{
    private readonly PairSimulation _simulation;
    private readonly SeededRandom _random;
    private readonly Queue<PlannedFault>? _plan;
    private long _armedAtStep = long.MaxValue;
    private (FaultKind Kind, SimulatedNodeState Node)? _next;

    /// <summary>With a list, only what is on it happens.</summary>
    public FaultInjector(PairSimulation simulation, IReadOnlyList<PlannedFault>? plan)
    {
        _simulation = simulation;
        _random = simulation.World.Random.Fork();
        _plan = plan is null ? null : new Queue<PlannedFault>(plan);
    }

    /// <summary>Metadata was damaged, once: what it said is gone, and an operator may have to decide.</summary>
    public bool HasRotted { get; set; }

    /// <summary>No more faults.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>What happened until now.</summary>
    public List<PlannedFault> Done { get; } = [];

    private bool IsQuiet => IsStopped || _simulation.Scenario.FaultEveryNs == 0;

    /// <summary>Begins.</summary>
    public void Start()
    {
        if (!IsQuiet)
        {
            ScheduleNext();
        }
    }

    /// <summary>No more faults; what is broken is mended and what is off is started.</summary>
    public void Stop()
    {
        IsStopped = true;
        _simulation.Networks.MendAll();
        _simulation.Networks.LetGo();
        Array.ForEach(_simulation.Nodes, Fault.Hasten);
        _simulation.Arbiter.CutOff.Clear();
        _simulation.Arbiter.AnswersLost.Clear();
        _simulation.Arbiter.IsReliable = true;
    }

    /// <summary>Something changed: a fault may follow within some events.</summary>
    public void SomethingChanged()
    {
        if (!IsQuiet && _random.Percent(8))
        {
            _armedAtStep = _simulation.World.Steps + _random.Below(_random.Percent(50) ? 40 : 400);
        }
    }

    /// <summary>After each event of the world.</summary>
    public void Stepped()
    {
        SimulatedWorld world = _simulation.World;
        while (_plan is not null && !IsStopped && _plan.TryPeek(out PlannedFault? next)
            && (world.NowNs > next.TimeNs || (world.NowNs == next.TimeNs && world.Steps >= next.Step)))
        {
            Inject(_plan.Dequeue());
        }

        if (_next is { } wanted)
        {
            _next = null;
            DrawOne(wanted.Kind, Array.IndexOf(_simulation.Nodes, wanted.Node));
        }

        if (world.Steps >= _armedAtStep)
        {
            _armedAtStep = long.MaxValue;
            if (!IsQuiet)
            {
                DrawOne(DrawKind(), _random.Below(2));
                if (_random.Percent(_simulation.Scenario.PairedFaultsPercent))
                {
                    DrawOne(DrawKind(), _random.Below(2));
                }
            }
        }
    }

    /// <summary>A node has taken over: often it ends at once.</summary>
    public void TookOver(SimulatedNodeState node) => MayFollow(FaultKind.TakeoverDeath, node, 40);

    /// <summary>A Standby has stored a right to take over: sometimes it ends before it has taken it.</summary>
    public void GotRight(SimulatedNodeState node) => MayFollow(FaultKind.ClaimantDeath, node, 20);

    /// <summary>A node's copy is being overwritten: sometimes it loses power in the middle.</summary>
    public void BecameTarget(SimulatedNodeState node) => MayFollow(FaultKind.TargetPowerCut, node, 6);

    private void MayFollow(FaultKind kind, SimulatedNodeState node, int percent)
    {
        if (!IsQuiet && _random.Percent(FaultDraw.PercentOf(kind, _simulation.Scenario, percent)))
        {
            _next = (kind, node);
        }
    }

    private void ScheduleNext() => _simulation.World.Schedule(
        _random.Between(0, 2 * _simulation.Scenario.FaultEveryNs),
        () =>
        {
            if (!IsStopped)
            {
                _armedAtStep = _simulation.World.Steps + _random.Below(30);
                ScheduleNext();
            }
        });

    /// <summary>With a list it is drawn all the same, so that the list alone makes no difference.</summary>
    private void DrawOne(FaultKind kind, int node)
    {
        var fault = new PlannedFault(
            _simulation.World.NowNs, _simulation.World.Steps, kind, node, _random.NextBits());
        if (_plan is null)
        {
            Inject(fault);
        }
    }

    private void Inject(PlannedFault fault)
    {
        Done.Add(fault);
        _simulation.Note($"fault: {fault.Kind}");
        SimulatedNodeState node = _simulation.Nodes[fault.Node];
        var begun = new Fault(_simulation, this, new SeededRandom(fault.Seed));
        if (begun.HasTarget(fault.Kind, node))
        {
            _simulation.Tally.Faults.Add((fault.Kind, _simulation.World.NowNs));
        }

        begun.Begin(fault.Kind, node);
    }

    private FaultKind DrawKind()
    {
        int[] weights = _simulation.Scenario.FaultWeights;
        int drawn = _random.Below(weights.Sum());
        int kind = 0;
        while (drawn >= weights[kind])
        {
            drawn -= weights[kind++];
        }

        return (FaultKind)kind;
    }
}
