namespace MirrorD.Api;

/// <summary>
/// Answer of <c>GET /v1/load</c>: what clients have asked for since the daemon started, and where the time went.
/// </summary>
public sealed record LoadReport
{
    /// <summary>Name of the node that answers.</summary>
    public required string Node { get; init; }

    /// <summary>When the daemon started: what is counted begins anew with each start.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Microseconds of a clock that nobody sets, for differences between two reports.</summary>
    public required long AtMicroseconds { get; init; }

    /// <summary>Volumes, by resource and in the order of each.</summary>
    public required IReadOnlyList<VolumeLoadReport> Volumes { get; init; }
}
