namespace MirrorD.Daemon.Metrics;

/// <summary>How often the role of this node changed in a way since the daemon started.</summary>
/// <param name="Resource">Name of the resource.</param>
/// <param name="Kind">One of <see cref="Api.TakeoverKind"/>.</param>
/// <param name="Succeeded">It was done, or failed.</param>
/// <param name="Count">How often.</param>
internal readonly record struct RoleChangeCount(string Resource, string Kind, bool Succeeded, long Count);
