namespace MirrorD.Api;

/// <summary>Answer of <c>GET /v1/version</c>.</summary>
public sealed record VersionReport
{
    /// <summary>Version of the daemon.</summary>
    public required string Version { get; init; }

    /// <summary>Name of the node.</summary>
    public required string Node { get; init; }

    /// <summary>Process id of the daemon.</summary>
    public required int ProcessId { get; init; }

    /// <summary>By what the daemon serves disks and sockets: "io_uring" or "epoll".</summary>
    /// <remarks>Null from an older daemon.</remarks>
    public string? Io { get; init; }
}
