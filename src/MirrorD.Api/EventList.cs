namespace MirrorD.Api;

/// <summary>Answer of <c>GET /v1/events</c>.</summary>
public sealed record EventList
{
    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<EventReport> Events { get; init; }
}
