namespace MirrorD.Api;

/// <summary>One thing that happened.</summary>
public sealed record EventReport
{
    /// <summary>Rises by one with each event of this node, across restarts.</summary>
    public required long Sequence { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The resource; null when it concerns the node.</summary>
    public string? Resource { get; init; }

    /// <summary>Stable name, e.g. promoted.</summary>
    public required string Kind { get; init; }

    /// <summary>One of <see cref="EventClass"/>.</summary>
    /// <remarks>Absent in events that an older version stored, which the reader turns into null.</remarks>
    public string Class { get; init => field = value ?? EventClass.Info; } = EventClass.Info;

    /// <summary>One sentence for a reader.</summary>
    public required string Message { get; init; }
}
