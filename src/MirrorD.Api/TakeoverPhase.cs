namespace MirrorD.Api;

/// <summary>One phase of a <see cref="TakeoverRecord"/>.</summary>
public sealed record TakeoverPhase
{
    /// <summary>What was done, e.g. "address probe".</summary>
    public required string Name { get; init; }

    /// <summary>Its begin, in milliseconds after that of the whole.</summary>
    public required long StartMs { get; init; }

    /// <summary>What it took, in milliseconds.</summary>
    public required long TookMs { get; init; }
}
