namespace MirrorD.Api;

/// <summary>A range that a verify found to differ, or could not read.</summary>
public sealed record VerifyFindingReport
{
    /// <summary>Name of the volume.</summary>
    public required string Volume { get; init; }

    /// <summary>First byte.</summary>
    public required long Offset { get; init; }

    /// <summary>Length in bytes.</summary>
    public required long LengthBytes { get; init; }

    /// <summary>different, unreadable-here or unreadable-there.</summary>
    public required string Kind { get; init; }

    /// <summary>It was copied to the other node.</summary>
    public bool Repaired { get; init; }
}
