namespace MirrorD.Api;

/// <summary>How a node took a resource over or gave it up, with the time that each phase took.</summary>
public sealed record TakeoverRecord
{
    /// <summary>When it began.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The node that did it.</summary>
    public required string Node { get; init; }

    /// <summary>One of <see cref="TakeoverKind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Why, in one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>It was carried out.</summary>
    public required bool Succeeded { get; init; }

    /// <summary>Its phases in the order of their begin.</summary>
    public required IReadOnlyList<TakeoverPhase> Phases { get; init; }

    /// <summary>From its begin to its end, in milliseconds.</summary>
    public required long TotalMs { get; init; }
}
