using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.PowerCuts;

/// <summary>
/// A short life of a pair under load, always the same up to the event at which it is broken off: first join, promotion,
/// writes and flushes with an activity log that is full, a lost link and a lost peer, each with generation and resync,
/// switchover, demotion, promotion.
/// </summary>
public sealed class PowerCutStory : IDisposable
{
    private const long LimitNs = 10_000_000_000;
    private const long Mebibyte = 1024 * 1024;

    private readonly IReadOnlyList<Phase> _phases;
    private SessionId _session;
    private long _target;
    private bool _hasSucceeded;

    /// <summary>Sets the pair up.</summary>
    /// <param name="trace">Receives what happens, when not null.</param>
    public PowerCutStory(Action<string>? trace = null)
    {
        Pair = new PairSimulation(Fixed(), trace);
        Pair.Arbiter.IsReliable = true;
        _phases = Phases();
    }

    private sealed record Phase(string Name, Action Begin, Func<bool> HasEnded);

    /// <summary>The pair.</summary>
    public PairSimulation Pair { get; }

    /// <summary>Names of the phases, in their order.</summary>
    public IEnumerable<string> Names => _phases.Select(phase => phase.Name);

    private SimulatedNodeState A => Pair.Nodes[0];

    private SimulatedNodeState B => Pair.Nodes[1];

    /// <summary>Plays until so many events of the world are over, or to the end; gives the phase that was reached.</summary>
    /// <param name="lastStep">Nothing happens after this event.</param>
    /// <param name="reached">Told of each phase as it begins.</param>
    public int Play(long lastStep, Action<int>? reached = null)
    {
        Pair.Begin();
        for (int i = 0; i < _phases.Count; i++)
        {
            reached?.Invoke(i);
            Pair.Note($"phase: {_phases[i].Name}");
            _phases[i].Begin();
            bool hasEnded = Pair.RunUntil(() => Pair.World.Steps >= lastStep || _phases[i].HasEnded(), LimitNs);
            if (Pair.World.Steps >= lastStep)
            {
                return i;
            }

            if (!hasEnded)
            {
                throw new RuleBroken("I-22", $"without any fault, {_phases[i].Name} does not end");
            }
        }

        return _phases.Count - 1;
    }

    /// <inheritdoc/>
    public void Dispose() => Pair.End();

    private IReadOnlyList<Phase> Phases() =>
    [
        new("first join", () => { }, IsJoined),
        new("promotion", () => Command(A, new ResourceCommand.Promote(false)), () => Serves(A)),
        new("writes, flushes, log", () => Count(Acknowledged, 40), HasCounted(Acknowledged)),
        new("lost link, generation", LoseLink, HasCounted(() => Pair.Tally.Alone)),
        .. Return(),
        new("lost peer, generation", LosePeer, HasCounted(() => Pair.Tally.Alone)),
        .. Return(),
        new("switchover", () => Command(B, new ResourceCommand.RequestRole()), () => Serves(B)),
        new("writes at the other", () => Count(Acknowledged, 10), HasCounted(Acknowledged)),
        new("demotion", () => Command(B, new ResourceCommand.Demote()),
            () => _hasSucceeded && B.Status is { Role: Role.Standby }),
        new("promotion again", () => Command(A, new ResourceCommand.Promote(false)), () => Serves(A)),
        new("last writes", () => Count(Acknowledged, 10), HasCounted(Acknowledged)),
    ];

    private Phase[] Return() =>
    [
        new("handshake, J1, J2", Mend, () => A.Status is { Link: LinkState.SyncSource }),
        new("resync", () => { }, () => A.Copies[0].Stored.Superblock!.Session != _session),
        new("J4 to J6", () => { }, IsJoined),
    ];

    private void LoseLink()
    {
        Count(() => Pair.Tally.Alone, 12);
        Pair.Networks.Cut(Networks.Dedicated, "a", "b");
    }

    private void LosePeer()
    {
        Count(() => Pair.Tally.Alone, 12);
        Pair.Networks.Cut(Networks.Dedicated, "a", "b");
        Pair.Networks.Cut(Networks.Production, "a", "b");
    }

    private void Mend()
    {
        _session = A.Copies[0].Stored.Superblock!.Session;
        Pair.Networks.MendAll();
    }

    private void Command(SimulatedNodeState node, ResourceCommand command)
    {
        _hasSucceeded = false;
        Pair.Roles.CommandGiven(node, command);
        node.Command(command, outcome =>
        {
            Pair.Roles.CommandEnded(node, command);
            _hasSucceeded = outcome.Succeeded;
        });
    }

    private long Acknowledged() => Pair.Tally.AcknowledgedWrites + Pair.Tally.Flushes;

    private void Count(Func<long> of, long more) => _target = of() + more;

    private Func<bool> HasCounted(Func<long> of) => () => of() >= _target;

    private bool IsJoined() =>
        Array.TrueForAll(Pair.Nodes, node => node.Status is { Link: LinkState.Joined, DiskState: DiskState.UpToDate });

    private bool Serves(SimulatedNodeState node) =>
        _hasSucceeded && node.Status is { Role: Role.Primary, HoldUp: null } && Pair.ServerByAddress() == node;

    /// <summary>Four extents of which two may be active, so that the log has to let go of some.</summary>
    private static Scenario Fixed() => Scenario.FromSeed(1) with
    {
        Mode = ReplicationMode.Sync,
        Volumes = 2,
        VolumeBytes = 8 * Mebibyte,
        BlockBytes = 512,
        ExternalMetadata = false,
        CreationAtA = CreationSource.Empty,
        OnPeerLoss = PeerLoss.Auto,
        HasArbiter = true,
        HasGateway = true,
        Autoswitch = true,
        TakeoverDelayMs = 0,
        LinkTimeoutMs = 350,
        OutdateTimeoutMs = 400,
        ReleaseTimeoutMs = 1000,
        Preferred = null,
        HasReleaseHelper = true,
        HandsOverOnStop = false,
        HookFailurePercent = 0,
        DatagramLossPercent = 0,
        LateDatagramsPercent = 0,
        Forces = false,
        HasDevices = false,
        DiskNs = 200_000,
        NetworkNs = 150_000,
        Clients = 3,
        Depth = 1,
        ThinkNs = 3_000_000,
        FaultEveryNs = 0,
        DiskFaultEveryNs = 0,
        DiskTimeoutMs = 0,
        SwitchEveryNs = 0,
        ResyncBytesPerSecond = 0,
        ActiveExtents = 2,
    };
}
