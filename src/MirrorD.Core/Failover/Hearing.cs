namespace MirrorD.Core.Failover;

/// <summary>What an authenticated datagram of the peer is worth.</summary>
public enum Hearing
{
    /// <summary>Nothing: it was there before, or is older than what was.</summary>
    Stale,
    /// <summary>
    /// The peer lives, or a recording of it does: it echoes nothing that this run is asking for.
    /// </summary>
    Heard,
    /// <summary>Sent by a peer that had heard this run of this process.</summary>
    Fresh,
}
