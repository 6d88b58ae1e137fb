namespace MirrorD.Api;

/// <summary>Values of <see cref="StageTimesReport.Stage"/>; docs/operating/monitoring.md says from where to where each one is.</summary>
public static class LoadStage
{
    /// <summary>Waiting for memory, or held while the resource is frozen.</summary>
    public const string Queue = "queue";

    /// <summary>Waiting for the activity log or for writes that overlap.</summary>
    public const string Log = "log";

    /// <summary>On this node's disk.</summary>
    public const string LocalDisk = "local_disk";

    /// <summary>From handed to the link until the other node's answer is here.</summary>
    public const string Peer = "peer";

    /// <summary>What of <see cref="Peer"/> was not <see cref="PeerDisk"/>.</summary>
    public const string Network = "network";

    /// <summary>On the other node, until its disk has it, by its own clock.</summary>
    public const string PeerDisk = "peer_disk";

    /// <summary>From decided until the socket has taken the answer.</summary>
    public const string Reply = "reply";

    /// <summary>From received until the socket has taken the answer.</summary>
    public const string Total = "total";

    /// <summary>All of them, in the order in which a request comes to them.</summary>
    public static IReadOnlyList<string> All { get; } = [Queue, Log, LocalDisk, Peer, Network, PeerDisk, Reply, Total];
}
