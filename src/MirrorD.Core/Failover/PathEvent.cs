namespace MirrorD.Core.Failover;

/// <summary>A change of the paths to the peer that is worth telling.</summary>
/// <param name="Kind">path-lost, path-restored, peer-lost or peer-back.</param>
/// <param name="Message">One sentence for a reader.</param>
public sealed record PathEvent(string Kind, string Message);
