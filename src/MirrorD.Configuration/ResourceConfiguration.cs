namespace MirrorD.Configuration;

/// <summary>What is replicated and taken over as one.</summary>
public sealed record ResourceConfiguration
{
    /// <summary>Name, also of directories and exports.</summary>
    public required string Name { get; init; }

    /// <summary>The two nodes of the pair, as written.</summary>
    public required IReadOnlyList<string> Between { get; init; }

    /// <summary>What it looks like on each node of the pair, by node name.</summary>
    public required IReadOnlyDictionary<string, ResourceOnNode> On { get; init; }

    /// <summary>See <see cref="PeerLossPolicy"/>.</summary>
    public PeerLossPolicy OnPeerLoss { get; init; } = PeerLossPolicy.Auto;

    /// <summary>See <see cref="SplitBrainChoice"/>.</summary>
    public SplitBrainChoice SplitBrain { get; init; }

    /// <summary>True if the standby takes over by itself when all paths to the Primary are lost.</summary>
    public bool Autoswitch { get; init; }

    /// <summary>
    /// Why the standby does not take over by itself, as one sentence without full stop; null when it does.
    /// </summary>
    public string? AutoswitchOffReason { get; init; }

    /// <summary>True if the file itself switches <see cref="Autoswitch"/> on or off.</summary>
    public bool IsAutoswitchChosen { get; init; }

    /// <summary>The node that becomes Primary when both start; null when none is preferred.</summary>
    public string? PreferredPrimary { get; init; }

    /// <summary>Wait of the standby before it takes over, in milliseconds.</summary>
    public int TakeoverDelayMs { get; init; }

    /// <summary>Wait for the peer's answer to a request to store Outdated, in milliseconds.</summary>
    public int OutdateTimeoutMs { get; init; } = 2000;

    /// <summary>Time in which a node has to get rid of what it no longer may hold, in milliseconds.</summary>
    public int ReleaseTimeoutMs { get; init; } = 10_000;

    /// <summary>The question whether somebody else has the service addresses.</summary>
    public AddressProbeConfiguration AddressProbe { get; init; } = new();

    /// <summary>See <see cref="Configuration.PreferConnectedNode"/>.</summary>
    public PreferConnectedNode PreferConnectedNode { get; init; }

    /// <summary>
    /// See <see cref="Configuration.OnStop"/>; null: hands over when the host shuts down, and just stops otherwise.
    /// </summary>
    public OnStop? OnStop { get; init; }

    /// <summary>See <see cref="Configuration.BlockDevices"/>.</summary>
    public BlockDevices BlockDevices { get; init; }

    /// <summary>The exports over TCP; null: unix sockets only.</summary>
    public NbdTcpConfiguration? NbdTcp { get; init; }

    /// <summary>A link that is silent for so long is lost, in milliseconds.</summary>
    public int LinkTimeoutMs { get; init; } = HeartbeatConfiguration.DefaultDeadAfterMs;

    /// <summary>A disk that does not answer a request for so long has failed, in milliseconds; 0 means never.</summary>
    public int DiskTimeoutMs { get; init; } = 60_000;

    /// <summary>How it is mirrored.</summary>
    public ReplicationConfiguration Replication { get; init; } = new();

    /// <summary>Ceiling of the resync rate; 0 means none.</summary>
    public long ResyncBytesPerSecond { get; init; }

    /// <summary>Down to this rate a resync yields to clients' requests; 0: it does not yield.</summary>
    public long ResyncFloorBytesPerSecond { get; init; }

    /// <summary>Commands around taking over and releasing.</summary>
    public required HooksConfiguration Hooks { get; init; }

    /// <summary>The other node of the pair.</summary>
    public string PeerOf(string node) => Between[0] == node ? Between[1] : Between[0];
}
