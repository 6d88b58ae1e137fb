using MirrorD.Formats;

namespace MirrorD.Core.Failover;

/// <summary>What a Primary without arbiter does when every path to the peer is lost.</summary>
public enum PeerLoss
{
    /// <summary>
    /// Goes on with production carrier and an answering gateway; else freezes and drops the addresses.
    /// </summary>
    Auto,
    /// <summary>Holds requests until peer or operator decides.</summary>
    Freeze,
    /// <summary>Goes on: the operator accepts that both sides may then diverge.</summary>
    Continue,
}

/// <summary>What this node finds on its production network; asked after the paths were lost.</summary>
public enum GatewayEvidence
{
    /// <summary>Not asked since, or not answered yet.</summary>
    Unknown,
    /// <summary>No gateway is configured; the carrier, where there is one to look at, is up.</summary>
    NotConfigured,
    /// <summary>It answers.</summary>
    Answers,
    /// <summary>It does not answer.</summary>
    Silent,
    /// <summary>
    /// The production interface has no carrier: evidence about this node, not about the peer.
    /// </summary>
    NoCarrier,
}

/// <summary>
/// What one node knows when it decides who may go on: input of <see cref="FailoverTable"/>.
/// </summary>
public readonly record struct FailoverFacts
{
    /// <summary>Own role.</summary>
    public required Role Role { get; init; }
    /// <summary>The replication link is up, in whichever phase.</summary>
    public required bool IsLinked { get; init; }
    /// <summary>State of the own copy.</summary>
    public required DiskState DiskState { get; init; }
    /// <summary>A proof for the stored session is stored.</summary>
    public required bool HasProof { get; init; }
    /// <summary>The nodes have joined before.</summary>
    public required bool HasSession { get; init; }
    /// <summary>An arbiter is configured.</summary>
    public required bool HasArbiter { get; init; }
    /// <summary>See <see cref="PeerLoss"/>.</summary>
    public required PeerLoss OnPeerLoss { get; init; }
    /// <summary>An operator has disconnected this node.</summary>
    public bool IsDisconnected { get; init; }
    /// <summary>Takeover without an operator is switched on.</summary>
    public required bool Autoswitch { get; init; }
    /// <summary>A request can reach the peer and its answer this node.</summary>
    public required bool IsAnyPathUp { get; init; }
    /// <summary>The peer is heard on some path.</summary>
    public required bool IsPeerHeard { get; init; }
    /// <summary>Every path is lost; none is merely unknown.</summary>
    public required bool AreAllPathsLost { get; init; }
    /// <summary>The peer was asked to store Outdated and has not answered within outdate-timeout.</summary>
    public required bool IsPeerMute { get; init; }
    /// <summary>The peer is heard, and says that its resource does not move or its disk has failed.</summary>
    public required bool IsPeerStuck { get; init; }
    /// <summary>
    /// The peer's role as last told, by link or heartbeat, in this run of the daemon; null: never.
    /// </summary>
    public required Role? PeerRole { get; init; }
    /// <summary>
    /// The peer's role when the link was last up in this run of the daemon; null: it never was.
    /// </summary>
    public required Role? PeerRoleAtLoss { get; init; }
    /// <summary>See <see cref="GatewayEvidence"/>.</summary>
    public required GatewayEvidence Gateway { get; init; }
    /// <summary>Standby, without arbiter: it may take over as far as this run of the daemon knows.</summary>
    public required bool IsEligible { get; init; }
    /// <summary>
    /// takeover-delay, what the old Primary may take to notice the loss, and the time in which its daemon may
    /// be back have passed.
    /// </summary>
    public required bool HasWaited { get; init; }
    /// <summary>It was Primary when its daemon ended, and nobody has taken that from it since.</summary>
    public required bool WasPrimary { get; init; }
}
