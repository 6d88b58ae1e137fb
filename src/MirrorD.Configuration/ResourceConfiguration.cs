namespace MirrorD.Configuration;

/// <summary>What a primary does when the peer is lost and there is neither goodbye nor arbiter.</summary>
public enum PeerLossPolicy
{
    /// <summary>Hold requests until peer, arbiter or operator decides.</summary>
    Freeze,
    /// <summary>Go on alone; both sides may then diverge.</summary>
    Continue,
}

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
    public PeerLossPolicy OnPeerLoss { get; init; } = PeerLossPolicy.Freeze;

    /// <summary>A link that is silent for so long is lost, in milliseconds.</summary>
    public int LinkTimeoutMs { get; init; } = 5000;

    /// <summary>Ceiling of the resync rate; 0 means none.</summary>
    public long ResyncBytesPerSecond { get; init; }

    /// <summary>Commands around taking over and releasing.</summary>
    public required HooksConfiguration Hooks { get; init; }

    /// <summary>The other node of the pair.</summary>
    public string PeerOf(string node) => Between[0] == node ? Between[1] : Between[0];
}
