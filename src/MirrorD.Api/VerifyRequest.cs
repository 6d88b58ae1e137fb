namespace MirrorD.Api;

/// <summary>Body of <c>POST /v1/resources/{name}/verify</c>.</summary>
public sealed record VerifyRequest
{
    /// <summary>What differs is copied from the Primary to its peer.</summary>
    public bool Repair { get; init; }
}
