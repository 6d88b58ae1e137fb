namespace MirrorD.Engine.Latency;

/// <summary>
/// Where a request is. Local disk and peer are at the same time; <see cref="Peer"/> is <see cref="Network"/> and
/// <see cref="PeerDisk"/> together.
/// </summary>
public enum LatencyStage
{
    /// <summary>From received whole until the replica has it: waits for memory, or is held while the resource is frozen.</summary>
    Queue,
    /// <summary>Until it may begin: waits for the activity log, for writes that overlap, in mode async for the peer.</summary>
    Log,
    /// <summary>On the disk of this node.</summary>
    LocalDisk,
    /// <summary>From handed to the link until the peer's acknowledgement is here.</summary>
    Peer,
    /// <summary>What of that was not on the other node: both ways, their sockets and encryption.</summary>
    Network,
    /// <summary>On the other node, from received whole until its disk has it, by its own clock.</summary>
    PeerDisk,
    /// <summary>From decided until the socket has taken the answer.</summary>
    Reply,
    /// <summary>From received until the socket has taken the answer.</summary>
    Total,
}
