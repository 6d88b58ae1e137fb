using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests.Failover;

/// <summary>
/// A joined pair with a as Primary, clients, no faults but those of the test, and no operator but at the
/// beginning. All checks of the simulator hold all the time.
/// </summary>
internal sealed class Story : IDisposable
{
    public const long Millisecond = 1_000_000;

    private readonly List<string> _trace = [];

    /// <summary>Sets it up; the scenario may be changed.</summary>
    public Story(Func<Scenario, Scenario> change, Action<PairSimulation>? prepare = null)
    {
        Scenario plain = Scenario.FromSeed(1) with
        {
            Mode = ReplicationMode.Sync,
            Volumes = 1,
            VolumeBytes = 4 * 1024 * 1024,
            BlockBytes = 512,
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
            Clients = 4,
            Depth = 2,
            ThinkNs = 5 * Millisecond,
            FaultEveryNs = 0,
            SwitchEveryNs = 0,
            ResyncBytesPerSecond = 0,
        };
        Pair = new PairSimulation(change(plain), _trace.Add);
        Pair.Arbiter.IsReliable = true;
        prepare?.Invoke(Pair);
        Pair.Begin();
        Await("both nodes connected", () => Pair.Nodes.All(node => node.Status?.Link == LinkState.Joining
            || node.Status?.Link == LinkState.Joined));
        A.Command(new ResourceCommand.Promote(false), _ => { });
        AwaitHealthy(A);
        Run(1000);
    }

    public PairSimulation Pair { get; }

    public SimulatedNodeState A => Pair.Nodes[0];

    public SimulatedNodeState B => Pair.Nodes[1];

    public Networks Networks => Pair.Networks;

    /// <summary>Lets virtual time pass.</summary>
    public void Run(long milliseconds) => Pair.RunFor(milliseconds * Millisecond);

    /// <summary>Runs until the condition holds.</summary>
    public void Await(string what, Func<bool> condition, long milliseconds = 10_000)
    {
        if (!Pair.RunUntil(condition, milliseconds * Millisecond))
        {
            Assert.Fail($"Within {milliseconds} ms not: {what}\n{string.Join('\n', _trace.TakeLast(60))}");
        }
    }

    /// <summary>Joined again, one Primary, which clients reach by the address.</summary>
    /// <remarks>
    /// The resync took 8 to 12 s: 96 copies, each flushed for itself on disks that take 5 ms for each step, beside clients.
    /// </remarks>
    public void AwaitHealthy(SimulatedNodeState primary) => Await(
        $"joined, with {primary.Name} as Primary",
        () => Pair.Nodes.All(IsJoinedAndWell)
            && IsPrimary(primary) && !IsPrimary(Pair.PeerOf(primary)) && Pair.ServerByAddress() == primary,
        milliseconds: 30_000);

    private static bool IsJoinedAndWell(SimulatedNodeState node) =>
        node.Status is { Link: LinkState.Joined, DiskState: DiskState.UpToDate, HoldUp: null };

    /// <summary>Primary, with the address, and writes through it are acknowledged.</summary>
    public void AwaitServing(SimulatedNodeState node)
    {
        Await($"{node.Name} serves", () => IsPrimary(node) && node.Status!.HoldUp is null
            && Pair.Addresses.Holds(node.Name));
        long before = Pair.Tally.AcknowledgedWrites;
        Await($"{node.Name} acknowledges writes", () => Pair.Tally.AcknowledgedWrites > before + 10);
    }

    /// <summary>
    /// Nothing is acknowledged for a while, and the node is Primary all the same: it holds its requests.
    /// </summary>
    public void AssertFrozen(SimulatedNodeState node, FailoverCase row)
    {
        Run(1000);
        long before = Pair.Tally.AcknowledgedWrites;
        Run(2000);
        Assert.True(IsPrimary(node), $"{node.Name} is {node.Status?.Role}");
        Assert.Equal(before, Pair.Tally.AcknowledgedWrites);
        Assert.Equal(row, node.Decision?.Case);
    }

    /// <summary>The node is no Primary, now and for some seconds, and the table says why.</summary>
    public void AssertNoTakeover(SimulatedNodeState node, FailoverCase row)
    {
        Assert.False(
            Pair.RunUntil(() => IsPrimary(node), 5000 * Millisecond), $"{node.Name} took over\n{Trace}");
        Assert.Equal(row, node.Decision?.Case);
    }

    public string Trace => string.Join('\n', _trace.TakeLast(60));

    public static bool IsPrimary(SimulatedNodeState node) => node.Status?.Role == Role.Primary;

    public static Superblock Stored(SimulatedNodeState node) => node.Copies[0].StoredDurably.Superblock!;

    /// <summary>The stored proof of the present session.</summary>
    public static ProofKind ProofOf(SimulatedNodeState node) =>
        Stored(node).Proof.Session == Stored(node).Session ? Stored(node).Proof.Kind : ProofKind.None;

    public void Kill(SimulatedNodeState node) => Pair.NodeDies(node, cutsPower: false);

    public void CutPower(SimulatedNodeState node) => Pair.NodeDies(node, cutsPower: true);

    /// <summary>
    /// All networks are cut between the nodes; of gateway, client and arbiter b keeps those named.
    /// </summary>
    public void Part(params string[] withB) => Networks.Partition(withB);

    public void Dispose() => Pair.End();
}
