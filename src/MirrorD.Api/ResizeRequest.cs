namespace MirrorD.Api;

/// <summary>Body of <c>POST /v1/resources/{name}/resize</c>.</summary>
public sealed record ResizeRequest
{
    /// <summary>Name of the volume; null: all that have room.</summary>
    public string? Volume { get; init; }

    /// <summary>Its new size in bytes; null: as large as both nodes have room for.</summary>
    public long? SizeBytes { get; init; }
}
