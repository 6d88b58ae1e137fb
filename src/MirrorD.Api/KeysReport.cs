namespace MirrorD.Api;

/// <summary>Answer of <c>GET /v1/keys</c>: nothing in it is secret.</summary>
public sealed record KeysReport
{
    /// <summary>Name of the node.</summary>
    public required string Node { get; init; }

    /// <summary>Hash of the public key in its certificate.</summary>
    public required string Certificate { get; init; }

    /// <summary>Until then the certificate is valid.</summary>
    public required DateTimeOffset ValidUntil { get; init; }

    /// <summary>First digits of the hash of the heartbeats' key that it sends with.</summary>
    public required string Sending { get; init; }

    /// <summary>The same of another one that it accepts; null when keys are not being exchanged.</summary>
    public string? Accepting { get; init; }
}
