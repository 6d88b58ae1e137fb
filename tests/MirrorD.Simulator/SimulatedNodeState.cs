using System.Net;
using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Engine.Replication;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Devices;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator;

/// <summary>
/// One node of the pair: what outlives its processes, and the process that runs there now, if any.
/// </summary>
public sealed class SimulatedNodeState
{
    private const long Millisecond = 1_000_000;

    private readonly PairSimulation _simulation;
    private readonly int _number;
    private BootId _boot;
    private PeerWatch? _watch;
    private SimulatedLoop? _watchLoop;
    private long _pausedUntilNs;
    private long _stuckUntilNs;
    private Superblock?[] _storedAtStart = [];
    private bool _hasCounted;

    /// <summary>Makes the node's disks.</summary>
    /// <param name="simulation">The pair.</param>
    /// <param name="name">a or b.</param>
    /// <param name="peer">The other one.</param>
    /// <param name="number">Its last byte in both networks: 1 or 2.</param>
    public SimulatedNodeState(PairSimulation simulation, string name, string peer, int number)
    {
        _simulation = simulation;
        _number = number;
        Name = name;
        PeerName = peer;
        Id = new NodeId(NewGuid());
        _boot = new BootId(NewGuid());
        simulation.World.AddAddress(name, DedicatedOf(number));
        simulation.World.AddAddress(name, ProductionOf(number), Networks.Production);
        Copies = [.. Enumerable.Range(0, simulation.Scenario.Volumes)
            .Select(volume => new VolumeCopy(simulation.World, simulation.Scenario, name, volume))];
        Array.ForEach(Copies, copy => copy.MetadataChanged += () => NoteState(copy.Stored.Superblock));
        Devices = [.. Copies.Select(copy => new KernelDevice(simulation, this, copy.Volume))];
    }

    /// <summary>Name of the node.</summary>
    public string Name { get; }

    /// <summary>Name of the peer.</summary>
    public string PeerName { get; }

    /// <summary>Stable id.</summary>
    public NodeId Id { get; }

    /// <summary>Its disks, by volume.</summary>
    public VolumeCopy[] Copies { get; }

    /// <summary>The block devices of its kernel, by volume.</summary>
    public KernelDevice[] Devices { get; }

    /// <summary>
    /// Where the kernel's ends of connections with the running process are; null without devices.
    /// </summary>
    public SimulatedLoop? Kernel { get; private set; }

    /// <summary>The loop of the running process; null when none runs.</summary>
    public SimulatedLoop? Loop { get; private set; }

    /// <summary>The resource in the running process.</summary>
    public ReplicatedResource? Resource { get; private set; }

    /// <summary>What the running process has around it; null when none runs.</summary>
    public NodeHost? Host { get; private set; }

    /// <summary>What the running process published last.</summary>
    public ResourceStatus? Status { get; set; }

    /// <summary>
    /// Its copy has lost power since it was last known to be the same as a copy that had not.
    /// </summary>
    public bool LostPower { get; set; }

    /// <summary>
    /// Its process has ended since the nodes were last joined: what it had received may not be on its disk.
    /// </summary>
    public bool LostMemory { get; set; }

    /// <summary>Number of the event at which it last lost power.</summary>
    public long LostPowerAtStep { get; private set; } = -1;

    /// <summary>Number of the event at which it last stored that it is Primary, at a promotion.</summary>
    public long PromotedAtStep { get; set; }

    /// <summary>What its decision table said last, of all its processes.</summary>
    public FailoverDecision? Decision { get; set; }

    /// <summary>How it last stored that it is Primary.</summary>
    public Promotion? Promotion { get; set; }

    /// <summary>A peer was connected since this process began.</summary>
    public bool SawPeer { get; set; }

    /// <summary>A process runs.</summary>
    public bool IsRunning => Loop is not null;

    /// <summary>The process has loaded its metadata: its volumes can be asked for.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>The process stands still.</summary>
    public bool IsPaused => IsRunning && _simulation.World.NowNs < _pausedUntilNs;

    /// <summary>The loop of the resource stands still, whatever else the process does.</summary>
    public bool IsStuck => IsPaused || (IsRunning && _simulation.World.NowNs < _stuckUntilNs);

    /// <summary>The process runs, and nothing of it stands still.</summary>
    public bool IsAwake => IsRunning && !IsStuck;

    /// <summary>Clients may open its volumes now.</summary>
    public bool CanOpen => IsLoaded && Resource!.Frontend(0).Unavailable is null;

    /// <summary>Starts the process.</summary>
    public void Start()
    {
        // What an earlier daemon left behind goes first.
        _simulation.Addresses.Remove(Name);
        _simulation.Policies.ProcessStarts(this);
        _pausedUntilNs = 0;
        _stuckUntilNs = 0;
        Loop = _simulation.World.CreateLoop(Name);
        Kernel = _simulation.Scenario.HasDevices ? _simulation.World.CreateLoop(Name) : null;
        Status = null;
        SawPeer = false;
        _simulation.Note($"{Name}: process started");
        _storedAtStart = [.. Copies.Select(copy => copy.Stored.Superblock)];
        Host = new NodeHost(this, Loop, _simulation);
        ReplicatedResource resource = new(Loop, Options(), Host);
        Resource = resource;
        resource.Loaded = problem => LoadEnded(resource, problem);
        resource.VerifyStepped = (range, outcome) => _simulation.Verifies.Stepped(this, range, outcome);
        _watchLoop = _simulation.World.CreateLoop(Name);
        _watch = new PeerWatch(_watchLoop, WatchOptions());
        resource.Watch = _watch;
        _watch.Start();
        _watch.Add(resource);
        resource.Start();
        _simulation.Truth.Changed();
    }

    /// <summary>Kills the process; its host goes on.</summary>
    public void Kill()
    {
        ReplicatedResource? resource = Forget();
        LostMemory = true;
        _simulation.World.CrashProcess(Name);
        resource?.Dispose();
        _simulation.Truth.Changed();
        if (_simulation.Scenario.HasReleaseHelper)
        {
            long waitNs = (Scenario.DeadAfterMs + _simulation.World.Random.Below(300)) * Millisecond;
            _simulation.World.Schedule(waitNs, HelpRelease);
        }
    }

    /// <summary>The last thing of a planned stop: what was to be said over the control channel is sent.</summary>
    public void EndWatch(Action ended) => _watch?.Stop(ended);

    /// <summary>The whole process stands still.</summary>
    public void Pause(long durationNs)
    {
        if (IsRunning)
        {
            // Not the kernel.
            _simulation.World.Pause(Loop!, durationNs);
            _simulation.World.Pause(_watchLoop!, durationNs);
            _pausedUntilNs = Math.Max(_pausedUntilNs, _simulation.World.NowNs + durationNs);
            _simulation.Truth.ChangesUntil(_pausedUntilNs);
        }
    }

    /// <summary>The loop of the resource stands still; the watch goes on.</summary>
    public void Stick(long durationNs)
    {
        if (Loop is { } loop)
        {
            _simulation.World.Pause(loop, durationNs);
            _stuckUntilNs = Math.Max(_stuckUntilNs, _simulation.World.NowNs + durationNs);
            _simulation.Truth.ChangesUntil(_stuckUntilNs);
        }
    }

    /// <summary>The host's clock jumps forward.</summary>
    public void JumpClock(long byNs)
    {
        _simulation.Truth.ClockJumps(this, byNs);
        _simulation.World.JumpClock(Name, byNs);
    }

    /// <summary>Cuts the power.</summary>
    public void CutPower()
    {
        ReplicatedResource? resource = Forget();
        _simulation.World.PowerCut(Name);
        _simulation.Addresses.Remove(Name);
        resource?.Dispose();
        _simulation.Truth.Changed();
        _boot = new BootId(NewGuid());
        LostPower = true;
        LostMemory = true;
        LostPowerAtStep = _simulation.World.Steps;
    }

    /// <summary>Runs a command on the node's loop.</summary>
    public void Command(ResourceCommand command, Action<CommandOutcome> ended)
    {
        SimulatedLoop? loop = Loop;
        loop?.Post(() =>
        {
            _simulation.Note($"{Name}: command {command}");
            _simulation.Policies.CommandGiven(this, command);
            Resource!.Command(command, outcome =>
            {
                _simulation.Note($"{Name}: {command}: {outcome}");
                _simulation.Policies.CommandEnded(this, command);
                ended(outcome);
            });
        });
    }

    /// <summary>
    /// The daemon ends as before a restart: it answers what it has, and takes nothing more.
    /// </summary>
    public void Finish(Action finished) => Loop!.Post(() => Host!.FinishExports(finished));

    private void NoteState(Superblock? stored)
    {
        if (!_hasCounted && stored is { DiskState: DiskState.UpToDate })
        {
            _hasCounted = true;
            if (stored.Proof.Kind == ProofKind.OperatorOverride)
            {
                _simulation.Oracle.AcceptLitter();
            }
        }
    }

    private void LoadEnded(ReplicatedResource resource, string? problem)
    {
        if (problem is not null)
        {
            throw new RuleBroken("I-20", $"{Name} can't load its metadata: {problem}");
        }

        if (resource == Resource)
        {
            JoinCheck.RequireKept(Name, _storedAtStart, [.. Copies.Select(copy => copy.Stored.Superblock)]);
        }

        IsLoaded = resource == Resource;
    }

    private ReplicatedResource? Forget()
    {
        ReplicatedResource? resource = Resource;
        IsLoaded = false;
        Loop = null;
        Kernel = null;
        Resource = null;
        _watch = null;
        Host = null;
        Status = null;
        return resource;
    }

    private ResourceOptions Options() => new()
    {
        Name = "mail",
        NodeName = Name,
        Node = Id,
        Boot = _boot,
        PeerName = PeerName,
        Volumes = [.. Copies.Select(copy => copy.Options)],
        Listen = new TcpEndpoint(DedicatedOf(_number), 7700),
        Connect = new TcpEndpoint(DedicatedOf(3 - _number), 7700),
        Security = new Testing.SharedSecret(_simulation.Key),
        OnPeerLoss = _simulation.Scenario.OnPeerLoss,
        Autoswitch = _simulation.Scenario.Autoswitch,
        TakeoverDelayMs = _simulation.Scenario.TakeoverDelayMs,
        OutdateTimeoutMs = _simulation.Scenario.OutdateTimeoutMs,
        SplitBrainPolicy = _simulation.Scenario.PolicyOf(Name),
        IsPreferred = _simulation.Scenario.Preferred is { } preferred ? preferred == Name : null,
        LinkTimeoutMs = _simulation.Scenario.LinkTimeoutMs,
        ReleaseTimeoutMs = _simulation.Scenario.ReleaseTimeoutMs,
        BufferSlots = 24,
        DiskTimeoutMs = _simulation.Scenario.DiskTimeoutMs,
        VerifyBytesPerSecond = _simulation.Scenario.VerifyBytesPerSecond,
        ResyncBytesPerSecond = _simulation.Scenario.ResyncBytesPerSecond,
        ResyncFloorBytesPerSecond = _simulation.Scenario.ResyncFloorBytesPerSecond,
        ResyncByChecksum = _simulation.Scenario.ResyncByChecksum,
        ActiveExtents = _simulation.Scenario.ActiveExtents,
        CopiesPerFlush = _simulation.Scenario.CopiesPerFlush,
        Mode = (Name == "b" ? _simulation.Scenario.ModeOfB : null) ?? _simulation.Scenario.Mode,
        AsyncBufferBytes = _simulation.Scenario.AsyncBufferBytes,
        AsyncLagMs = _simulation.Scenario.AsyncLagMs,
    };

    private PeerWatchOptions WatchOptions() => new()
    {
        NodeName = Name,
        Node = Id,
        Boot = _boot,
        PeerName = PeerName,
        Key = _simulation.Key,
        Paths =
        [
            new WatchPath(Networks.Dedicated, PathKind.Dedicated, 0, PathEndpoint(DedicatedOf)),
            new WatchPath(Networks.Production, PathKind.Production, 0, PathEndpoint(ProductionOf)),
        ],
        IntervalMs = Scenario.HeartbeatMs,
        DeadAfterMs = Scenario.DeadAfterMs,
        NewIdentifier = () => _simulation.World.Random.NextBits() | 1,
        Raise = (_, happened) => _simulation.Note($"{Name}: [{happened.Kind}] {happened.Message}"),
    };

    private UdpEndpoint PathEndpoint(Func<int, IPAddress> addressOf) =>
        new(addressOf(_number), 7701, addressOf(3 - _number), 7701);

    /// <summary>What systemd runs when the daemon has ended and does not serve again in time.</summary>
    private void HelpRelease()
    {
        if (!IsRunning)
        {
            _simulation.Addresses.Remove(Name);
        }
    }

    private static IPAddress DedicatedOf(int number) => new([10, 1, 0, (byte)number]);

    private static IPAddress ProductionOf(int number) => new([10, 2, 0, (byte)number]);

    private Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        _simulation.World.Random.Fill(bytes);
        return new Guid(bytes);
    }
}
