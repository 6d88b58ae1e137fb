namespace MirrorD.Api;

/// <summary>Answer of <c>GET /v1/history</c>.</summary>
public sealed record HistoryList
{
    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<TakeoverRecord> Records { get; init; }
}
