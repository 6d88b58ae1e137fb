using MirrorD.Core;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Faults;
using MirrorD.Simulator.Oracle;
using MirrorD.Simulator.Surroundings;
using MirrorD.Simulator.Workload;

namespace MirrorD.Simulator;

/// <summary>
/// One seed: a pair of nodes with the production engine under simulated disks and network, clients, faults
/// and an operator; then a phase without faults in which the pair has to become joined, and a comparison of
/// all bytes.
/// </summary>
public sealed partial class PairSimulation
{
    /// <summary>Longer than it takes to join and part again: what was said of one session comes in the next.</summary>
    private const long LongestDetourNs = 1_600_000_000;

    private readonly Client[] _clients;
    private readonly DeviceClient[] _deviceClients;
    private readonly FaultInjector _faults;
    private readonly DiskFaults _diskFaults;
    private readonly Dictionary<SimulatedNodeState, long> _servesSinceStep = [];
    private int _promotedAlone;
    private bool _isOver;

    /// <summary>Sets the pair up; <see cref="Run"/> runs it.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="trace">Receives what happens, when not null.</param>
    /// <param name="plan">The faults, when they are not drawn.</param>
    public PairSimulation(ulong seed, Action<string>? trace = null, IReadOnlyList<PlannedFault>? plan = null)
        : this(Scenario.FromSeed(seed), trace, plan)
    {
    }

    /// <summary>Sets a pair up that is as the scenario says.</summary>
    /// <param name="scenario">The scenario, with its seed.</param>
    /// <param name="trace">Receives what happens, when not null.</param>
    /// <param name="plan">The faults, when they are not drawn.</param>
    public PairSimulation(
        Scenario scenario, Action<string>? trace = null, IReadOnlyList<PlannedFault>? plan = null)
    {
        Scenario = scenario;
        ThinkNs = scenario.ThinkNs;
        World = new SimulatedWorld(scenario.Seed) { Trace = trace };
        World.Network.WindowBytes = (int)World.Random.Between(16, 512) * 1024;
        World.Network.LatencyNs = (Math.Min(20_000, Scenario.NetworkNs), Scenario.NetworkNs);
        World.Network.DatagramLossPercent = Scenario.DatagramLossPercent;
        World.Network.DatagramReorderPercent = Scenario.LateDatagramsPercent;
        World.Network.DatagramDuplicatePercent = Scenario.LateDatagramsPercent;
        World.Network.LongestDetourNs = LongestDetourNs;
        Networks = new Networks(World);
        Addresses = new AddressTable(World, Networks);
        Arbiter = new SimulatedArbiter(World, Networks);
        byte[] key = new byte[32];
        World.Random.Fill(key);
        Key = key;
        Nodes = [new SimulatedNodeState(this, "a", "b", 1), new SimulatedNodeState(this, "b", "a", 2)];
        Truth = new WorldTruth(this);
        Networks.Changing = Truth.Changed;
        Oracle = new ResourceOracle(Scenario.Volumes, Scenario.VolumeBytes);
        Acknowledgements = new AcknowledgementCheck(this);
        Ahead = new AheadCheck(this);
        PrepareDisks();
        Comparisons = [.. Nodes[0].Copies.Zip(Nodes[1].Copies, (a, b) => new CopyComparison(a, b))];
        Roles = new RoleCheck(this);
        Rights = new RightCheck(this);
        JoinCheck.Watch(this);
        Policies = new PolicyCheck(this);
        AddressHolders = new AddressCheck(this);
        Verifies = new VerifyCheck(this);
        Operator = new Operator(this);
        Maintenance = new Maintenance(this);
        _faults = new FaultInjector(this, plan);
        _diskFaults = new DiskFaults(this);
        var hotspots = new Hotspots(World.Random, Scenario);
        int clients = Scenario.Clients * Scenario.Depth;
        _clients = [.. Enumerable.Range(0, clients).Select(i => new Client(
            this, hotspots, World.Random.Percent(30) ? Nodes[World.Random.Below(2)] : null))];
        _deviceClients = !Scenario.HasDevices ? [] : [.. Nodes.SelectMany(node =>
            Enumerable.Range(0, Scenario.DeviceClients).Select(_ => new DeviceClient(this, hotspots, node)))];
    }

    /// <summary>What the seed says.</summary>
    public Scenario Scenario { get; }

    /// <summary>The world.</summary>
    public SimulatedWorld World { get; }

    /// <summary>What connects nodes, clients, gateway and arbiter.</summary>
    public Networks Networks { get; }

    /// <summary>Who has the service address.</summary>
    public AddressTable Addresses { get; }

    /// <summary>What really could be heard.</summary>
    public WorldTruth Truth { get; }

    /// <summary>The arbiter.</summary>
    public SimulatedArbiter Arbiter { get; }

    /// <summary>The pair's shared key.</summary>
    public ReadOnlyMemory<byte> Key { get; }

    /// <summary>Nodes a and b.</summary>
    public SimulatedNodeState[] Nodes { get; }

    /// <summary>What contents are legal.</summary>
    public ResourceOracle Oracle { get; }

    /// <summary>Checks at replies.</summary>
    public AcknowledgementCheck Acknowledgements { get; }

    /// <summary>Checks of modes memory and async.</summary>
    public AheadCheck Ahead { get; }

    /// <summary>Comparison of the copies, by volume.</summary>
    public CopyComparison[] Comparisons { get; }

    /// <summary>Checks at changes of role.</summary>
    public RoleCheck Roles { get; }

    /// <summary>Checks on proofs and their truth.</summary>
    public RightCheck Rights { get; }

    /// <summary>Checks on holders of the service address.</summary>
    public AddressCheck AddressHolders { get; }

    /// <summary>What is given up in a split brain.</summary>
    public PolicyCheck Policies { get; }

    /// <summary>Verifies, and checks on what they say.</summary>
    public VerifyCheck Verifies { get; }

    /// <summary>Requests that nodes have not answered, in the order of submission.</summary>
    public List<ClientRequest> Requests { get; } = [];

    /// <summary>The operator.</summary>
    public Operator Operator { get; }

    /// <summary>The operator who disconnects nodes.</summary>
    public Maintenance Maintenance { get; }

    /// <summary>Metadata was damaged: an operator may have to decide.</summary>
    public bool HasRotted => _faults.HasRotted;

    /// <summary>Mean pause of a client between requests.</summary>
    public long ThinkNs { get; private set; }

    /// <summary>What went wrong until now.</summary>
    public IReadOnlyList<PlannedFault> FaultsDone => _faults.Done;

    /// <summary>Counts.</summary>
    public Tally Tally { get; } = new();

    /// <summary>The other node.</summary>
    public SimulatedNodeState PeerOf(SimulatedNodeState node) => node == Nodes[0] ? Nodes[1] : Nodes[0];

    /// <summary>Writes a line into the trace.</summary>
    public void Note(string line) =>
        World.Trace?.Invoke($"{World.NowNs / 1000,12} us {World.Steps,8}  {line}");

    /// <summary>Runs the seed to its end; throws <see cref="RuleBroken"/> when a rule was broken.</summary>
    public void Run()
    {
        Begin();
        Operator.Start();
        _faults.Start();
        _diskFaults.Start();
        Verifies.Start();
        Maintenance.Start();
        RunFor(Scenario.FaultsNs);
        Converge();
    }

    /// <summary>Starts nodes and clients: for stories in which a test is the operator and the fault.</summary>
    public void Begin()
    {
        Note(Scenario.ToString());
        foreach (CopyComparison comparison in Comparisons)
        {
            comparison.ChecksSyncSet = true;
        }

        Array.ForEach(Nodes, StartNode);
        Array.ForEach(_clients, client => client.Start());
        Array.ForEach(_deviceClients, client => client.Start());
    }

    /// <summary>Frees what the last processes hold.</summary>
    public void End()
    {
        foreach (SimulatedNodeState node in Nodes)
        {
            foreach (VolumeCopy copy in node.Copies)
            {
                copy.Data.Changed = null;
                copy.Metadata.Changed = null;
            }

            node.Kill();
        }
    }

    /// <summary>The node to which the service address leads, if its volumes can be opened.</summary>
    public SimulatedNodeState? ServerByAddress() =>
        Addresses.Route() is { } name && Array.Find(Nodes, node => node.Name == name) is { CanOpen: true } node
            ? node : null;

    /// <summary>
    /// A client is about to ask a node: at the first time after a promotion its copy must hold what is possible. (A
    /// node whose peer was promoted since is not judged by its copy but by its answers.)
    /// </summary>
    public void IsAsked(SimulatedNodeState node)
    {
        if (_servesSinceStep.GetValueOrDefault(node, -1) == node.PromotedAtStep
            || PeerOf(node).PromotedAtStep > node.PromotedAtStep)
        {
            return;
        }

        _servesSinceStep[node] = node.PromotedAtStep;
        Ahead.BeginsToCount(node);
        if (node.LostPower)
        {
            // From here on its copy is what is served.
            Note($"{node.Name}: serves from a copy that lost power");
            Oracle.RollBack();
            node.LostPower = false;
        }

        foreach (CopyComparison comparison in Comparisons)
        {
            Require(node, comparison, comparison.Touched, "begins to serve");
        }
    }

    /// <summary>A node's process dies, by itself or with its host.</summary>
    public void NodeDies(SimulatedNodeState node, bool cutsPower)
    {
        List<Mutation> lost = [];
        List<ClientRequest> orphans = Requests.FindAll(request => request.Server == node);
        Requests.RemoveAll(orphans.Contains);
        orphans.ForEach(request =>
        {
            if (request.LoseServer() is { } mutation)
            {
                lost.Add(mutation);
            }

            Array.ForEach(_clients, client => client.LoseServer(request));
        });
        Oracle.ServerDied(lost);
        Array.ForEach(node.Devices, device => device.ServerDied(cutsPower));
        Roles.ProcessEnds(node);
        if (cutsPower)
        {
            node.CutPower();
        }
        else
        {
            node.Kill();
        }

        Roles.ProcessEnded(node);
    }

    /// <summary>Starts a node's process unless it runs.</summary>
    public void StartNode(SimulatedNodeState node)
    {
        if (!node.IsRunning && !_isOver)
        {
            _diskFaults.Starting(node);
            node.Start();
        }
    }

    /// <summary>A Standby has stored a proof by which it may take over.</summary>
    public void GotRight(SimulatedNodeState node) => _faults.GotRight(node);

    /// <summary>A node was promoted without its peer, by whatever right.</summary>
    public void PromotedAlone()
    {
        Tally.AloneAgain += _promotedAlone > 0 ? 1 : 0;
        _promotedAlone++;
    }

    /// <summary>A node took over from a peer that it had lost.</summary>
    public void TookOver(SimulatedNodeState node)
    {
        Tally.Takeovers++;
        _faults.TookOver(node);
    }

    /// <summary>A node published its status.</summary>
    public void StatusPublished(SimulatedNodeState node, ResourceStatus status)
    {
        ResourceStatus? before = node.Status;
        node.Status = status;
        if (status.Role == Role.Primary && before?.Role != Role.Primary)
        {
            Roles.SaysPrimary(node, status);
        }

        if (node.Resource?.Decision is { } decision && decision != node.Decision)
        {
            node.Decision = decision;
            Note($"{node.Name}: decides {decision.Case}: {decision.Action}");
            Tally.Rows.Add(decision.Case.ToString());
        }

        if (before?.Link != status.Link || before.Role != status.Role || before.DiskState != status.DiskState
            || before.HoldUp?.State != status.HoldUp?.State)
        {
            Note($"{node.Name}: {status.Role} {status.DiskState} {status.Link} held {status.HeldRequests} "
                + $"{status.HoldUp?.State} session {status.Session} generation {status.Generation}");
            LinkChanged(node, status);
            _faults.SomethingChanged();
        }
    }

    private void LinkChanged(SimulatedNodeState node, ResourceStatus status)
    {
        if (status.Link == LinkState.SyncTarget)
        {
            _faults.BecameTarget(node);
        }

        node.SawPeer |= status.Link is LinkState.Joined or LinkState.SyncSource or LinkState.SyncTarget;
        if (status.DiskState == DiskState.Outdated)
        {
            Ahead.Outdated(node);
        }

        if (status.Link is LinkState.Disconnected or LinkState.Refused)
        {
            Ahead.LinkLost(node);
            Ahead.GivenUp(node);
        }
        else if (status.Link == LinkState.Diskless)
        {
            Ahead.DiskLost(node);
        }

        if (status.Link == LinkState.SyncSource)
        {
            Ahead.BeginsToCount(node);
        }

        if (status.Link == LinkState.SyncSource && node.LostPower)
        {
            Note($"{node.Name}: source of a resync from a copy that lost power");
            Oracle.RollBack();
            node.LostPower = false;
        }

        if (status.Link == LinkState.Joined && PeerOf(node).Status?.Link == LinkState.Joined)
        {
            Tally.Joins++;
            _promotedAlone = 0;
            if (Nodes.All(each => each.LostPower))
            {
                Oracle.RollBack();
            }

            Array.ForEach(Nodes, each => each.LostPower = each.LostMemory = false);
            Ahead.Joined();
        }
    }

    /// <summary>Lets virtual time pass, with all checks.</summary>
    public void RunFor(long durationNs)
    {
        long endNs = World.NowNs + durationNs;
        RunUntil(() => World.NowNs >= endNs, durationNs);
    }

    /// <summary>Runs, with all checks, until the condition holds; false when the time has passed before.</summary>
    public bool RunUntil(Func<bool> condition, long limitNs)
    {
        long endNs = World.NowNs + limitNs;
        while (World.NowNs < endNs)
        {
            if (condition())
            {
                return true;
            }

            Invariant.Require(World.Step(), "the world never runs out of events: the operator keeps looking");
            _faults.Stepped();
            if (World.Steps % 32 == 0)
            {
                CheckJoined();
            }
        }

        return condition();
    }

    /// <summary>
    /// While both nodes are joined, only what is being written may differ (I-7, I-10, I-11); and so it is in a join as
    /// long as the target calls its copy consistent.
    /// </summary>
    private void CheckJoined()
    {
        if (IsJoined)
        {
            Array.ForEach(Comparisons, RequireEqual);
        }
        else if (Nodes.Any(node => node.Status?.Link == LinkState.SyncSource)
            && Array.Find(Nodes, node => node.Status?.Link == LinkState.SyncTarget) is { } target)
        {
            // What a target overwrites in any order it has declared Inconsistent before (I-10).
            Array.ForEach(Array.FindAll(Comparisons, comparison =>
                target.Copies[comparison.A.Volume].Stored.Superblock is { DiskState: > DiskState.Inconsistent }),
                RequireEqual);
        }
    }

    private bool IsJoined =>
        Nodes.All(node => node.Status is { Link: LinkState.Joined, DiskState: DiskState.UpToDate });

    private void RequireEqual(CopyComparison comparison)
    {
        foreach (long block in comparison.Differing)
        {
            if (block < comparison.ReservedFrom && !Oracle.InFlight.Any(mutation => mutation.Volume == comparison.A.Volume
                && mutation.FirstSector * Stamp.SectorBytes < (block + 1) * 4096
                && (mutation.FirstSector + mutation.Sectors) * Stamp.SectorBytes > block * 4096)
                && !Ahead.Excuses(comparison.A.Volume, block))
            {
                string what = IsJoined ? "both nodes are joined" : "the target says that its copy is consistent";
                throw new RuleBroken(IsJoined ? "I-7" : "I-10", $"{what}, and block {block} of volume "
                    + $"{comparison.A.Volume} differs although nothing is written there: "
                    + Differences(comparison, block));
            }
        }
    }
}
