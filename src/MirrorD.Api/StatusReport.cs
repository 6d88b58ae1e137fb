namespace MirrorD.Api;

/// <summary>Answer of <c>GET /v1/status</c>: this node and its resources.</summary>
public sealed record StatusReport
{
    /// <summary>Name of the node that answers.</summary>
    public required string Node { get; init; }

    /// <summary>Its stable id.</summary>
    public required Guid NodeId { get; init; }

    /// <summary>Version of the daemon.</summary>
    public required string Version { get; init; }

    /// <summary>When the daemon started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Resources in the order of their names.</summary>
    public required IReadOnlyList<ResourceReport> Resources { get; init; }

    /// <summary>Networks on which the other nodes are heard, by peer.</summary>
    /// <remarks>Absent from an older daemon, which the reader turns into null.</remarks>
    public IReadOnlyList<PathReport> Paths { get; init => field = value ?? []; } = [];
}
