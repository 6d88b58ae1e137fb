namespace MirrorD.Api;

/// <summary>What holds a resource up.</summary>
public sealed record HoldUpReport
{
    /// <summary>Name of the state, e.g. FrozenNoProof.</summary>
    public required string State { get; init; }

    /// <summary>What happened and what is safe.</summary>
    public required string Reason { get; init; }

    /// <summary>Who must act: mirrord, operator, arbiter or peer.</summary>
    public required string Owner { get; init; }

    /// <summary>The command that resolves it; null when it resolves by itself.</summary>
    public string? Remedy { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset Since { get; init; }
}
