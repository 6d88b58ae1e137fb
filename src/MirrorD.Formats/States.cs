namespace MirrorD.Formats;

/// <summary>Role of a node in a resource. Values are stored on disk and sent to the peer.</summary>
public enum Role : byte
{
    /// <summary>Receives; does not serve.</summary>
    Standby = 1,
    /// <summary>Serves I/O.</summary>
    Primary = 2,
}

/// <summary>State of a copy, as DRBD uses the words. Values are stored on disk and sent to the peer.</summary>
public enum DiskState : byte
{
    /// <summary>No backing disk.</summary>
    Diskless = 1,
    /// <summary>The backing disk failed.</summary>
    Failed = 2,
    /// <summary>A mixture of old and new: target of an unfinished resync.</summary>
    Inconsistent = 3,
    /// <summary>A crash image of the past; the peer may have gone on alone.</summary>
    Outdated = 4,
    /// <summary>A crash image of which nobody knows yet whether the peer went on alone.</summary>
    Consistent = 5,
    /// <summary>As new as the peer's when they parted.</summary>
    UpToDate = 6,
}

/// <summary>
/// When a client hears of a write that goes to both nodes (safety contract, section 2, rule 4). Flush and force
/// unit access mean both disks in every mode. Values are sent to the peer.
/// </summary>
public enum ReplicationMode : byte
{
    /// <summary>Both copies have it.</summary>
    Sync = 1,
    /// <summary>The local copy has it, and the peer in memory.</summary>
    Memory = 2,
    /// <summary>The local copy has it.</summary>
    Async = 3,
}

/// <summary>Durable evidence that the peer will not serve from its session. Values are stored on disk.</summary>
public enum ProofKind : byte
{
    /// <summary>No proof.</summary>
    None = 0,
    /// <summary>The peer replied that it stored Outdated, or said goodbye having done so.</summary>
    PeerOutdated = 1,
    /// <summary>The arbiter granted the session.</summary>
    ArbiterGrant = 2,
    /// <summary>The peer is excluded since the last join.</summary>
    PeerExcluded = 3,
    /// <summary>The peer was fenced.</summary>
    Fenced = 4,
    /// <summary>Without arbiter: gateway evidence, or on-peer-loss: continue.</summary>
    PeerLossPolicy = 5,
    /// <summary>The operator's override.</summary>
    OperatorOverride = 6,
}
