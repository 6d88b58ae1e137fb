namespace MirrorD.Daemon.Access;

/// <summary>Marks a connection that brings calls of another node: a header of each says who asks there.</summary>
internal sealed record BroughtCalls;
