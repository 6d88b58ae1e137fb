namespace MirrorD.Api;

/// <summary>Body of <c>POST /v1/resources/{name}/promote</c>.</summary>
public sealed record PromoteRequest
{
    /// <summary>Also without proof and from an Outdated copy.</summary>
    public bool Force { get; init; }
}
