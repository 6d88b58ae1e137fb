namespace MirrorD.Api;

/// <summary>Answer of <c>GET /v1/resources/{name}/explain</c>.</summary>
public sealed record ExplainReport
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>Why it is in this state, sentence by sentence.</summary>
    public required IReadOnlyList<string> Why { get; init; }

    /// <summary>What it waits for; null when for nothing.</summary>
    public string? WaitsFor { get; init; }

    /// <summary>The command that resolves it; null when none is needed.</summary>
    public string? Remedy { get; init; }

    /// <summary>What would happen if the peer were lost now.</summary>
    public required string IfPeerIsLost { get; init; }

    /// <summary>What <c>promote --force</c> would lose or risk on this node, sentence by sentence.</summary>
    public required IReadOnlyList<string> IfForced { get; init; }
}
