using System.Net;
using MirrorD.Engine.Control;
using MirrorD.Engine.Replication;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Simulated;
using MirrorD.Simulator.Checks;

namespace MirrorD.Simulator;

/// <summary>
/// One node of the pair: what outlives its processes, and the process that runs there now, if any.
/// </summary>
public sealed class SimulatedNodeState
{
    private readonly PairSimulation _simulation;
    private BootId _boot;

    /// <summary>Makes the node's disks.</summary>
    public SimulatedNodeState(
        PairSimulation simulation, string name, string peer, IPAddress address, IPAddress peerAddress)
    {
        _simulation = simulation;
        Name = name;
        PeerName = peer;
        Address = address;
        PeerAddress = peerAddress;
        Id = new NodeId(NewGuid());
        _boot = new BootId(NewGuid());
        simulation.World.AddAddress(name, address);
        Copies = [.. Enumerable.Range(0, simulation.Scenario.Volumes)
            .Select(volume => new VolumeCopy(simulation.World, simulation.Scenario, name, volume))];
    }

    /// <summary>Name of the node.</summary>
    public string Name { get; }

    /// <summary>Name of the peer.</summary>
    public string PeerName { get; }

    /// <summary>Its address on the dedicated network.</summary>
    public IPAddress Address { get; }

    /// <summary>The peer's address.</summary>
    public IPAddress PeerAddress { get; }

    /// <summary>Stable id.</summary>
    public NodeId Id { get; }

    /// <summary>Its disks, by volume.</summary>
    public VolumeCopy[] Copies { get; }

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

    /// <summary>Number of the event at which it last lost power.</summary>
    public long LostPowerAtStep { get; private set; } = -1;

    /// <summary>Number of the event at which it last became Primary.</summary>
    public long PrimarySinceStep { get; set; }

    /// <summary>A peer was connected since this process began.</summary>
    public bool SawPeer { get; set; }

    /// <summary>A process runs.</summary>
    public bool IsRunning => Loop is not null;

    /// <summary>The process has loaded its metadata: its volumes can be asked for.</summary>
    public bool IsLoaded { get; private set; }

    /// <summary>Starts the process.</summary>
    public void Start()
    {
        Loop = _simulation.World.CreateLoop(Name);
        Status = null;
        SawPeer = false;
        _simulation.Note($"{Name}: process started");
        Host = new NodeHost(this, Loop, _simulation);
        ReplicatedResource resource = new(Loop, Options(), Host);
        Resource = resource;
        resource.Loaded = problem => LoadEnded(resource, problem);
        resource.Start();
    }

    /// <summary>Kills the process.</summary>
    public void Kill()
    {
        ReplicatedResource? resource = Forget();
        _simulation.World.CrashProcess(Name);
        resource?.Dispose();
    }

    /// <summary>Cuts the power.</summary>
    public void CutPower()
    {
        ReplicatedResource? resource = Forget();
        _simulation.World.PowerCut(Name);
        resource?.Dispose();
        _boot = new BootId(NewGuid());
        LostPower = true;
        LostPowerAtStep = _simulation.World.Steps;
    }

    /// <summary>Runs a command on the node's loop.</summary>
    public void Command(ResourceCommand command, Action<CommandOutcome> ended)
    {
        SimulatedLoop? loop = Loop;
        loop?.Post(() =>
        {
            _simulation.Note($"{Name}: command {command}");
            Resource!.Command(command, outcome =>
            {
                _simulation.Note($"{Name}: {command}: {outcome}");
                ended(outcome);
            });
        });
    }

    private void LoadEnded(ReplicatedResource resource, string? problem)
    {
        if (problem is not null)
        {
            throw new RuleBroken("I-20", $"{Name} can't load its metadata: {problem}");
        }

        IsLoaded = resource == Resource;
    }

    private ReplicatedResource? Forget()
    {
        ReplicatedResource? resource = Resource;
        IsLoaded = false;
        Loop = null;
        Resource = null;
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
        Listen = new TcpEndpoint(Address, 7700),
        Connect = new TcpEndpoint(PeerAddress, 7700),
        Key = _simulation.Key,
        OnPeerLoss = _simulation.Scenario.OnPeerLoss,
        LinkTimeoutMs = 400,
        BufferSlots = 24,
        ResyncBytesPerSecond = _simulation.Scenario.ResyncBytesPerSecond,
    };

    private Guid NewGuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        _simulation.World.Random.Fill(bytes);
        return new Guid(bytes);
    }
}
