namespace MirrorD.Api;

/// <summary>A network on which this node hears, or does not hear, another one.</summary>
public sealed record PathReport
{
    /// <summary>Name of the other node.</summary>
    public required string Peer { get; init; }

    /// <summary>This node's own address in the network.</summary>
    public required string Network { get; init; }

    /// <summary>dedicated or production.</summary>
    public required string Kind { get; init; }

    /// <summary>One of <see cref="PathState"/>.</summary>
    public required string State { get; init; }

    /// <summary>Since when it is in this state.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>Milliseconds since the last authenticated heartbeat; null when there was none.</summary>
    public long? LastHeardMs { get; init; }
}
