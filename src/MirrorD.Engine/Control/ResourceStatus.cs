using MirrorD.Core.Verify;
using MirrorD.Formats;

namespace MirrorD.Engine.Control;

/// <summary>How far the link to the peer is.</summary>
public enum LinkState
{
    /// <summary>No link; connecting or listening.</summary>
    Disconnected,
    /// <summary>Connected, proving the key.</summary>
    Authenticating,
    /// <summary>Handshake or J1–J2.</summary>
    Joining,
    /// <summary>J3: this node's copy is being sent.</summary>
    SyncSource,
    /// <summary>J3: this node's copy is being overwritten.</summary>
    SyncTarget,
    /// <summary>Both UpToDate in the same session.</summary>
    Joined,
    /// <summary>Refused for a reason that needs an operator; see the hold-up.</summary>
    Refused,
    /// <summary>Connected; the Primary has no disk, and goes on with the other node's, the only copy.</summary>
    Diskless,
}

/// <summary>Something that holds the resource up.</summary>
/// <param name="State">Name of the state (safety contract, section 6), e.g. FrozenNoProof.</param>
/// <param name="Reason">What happened and what is safe, one or two sentences.</param>
/// <param name="Owner">Who must act: "mirrord", "operator", "arbiter", "peer".</param>
/// <param name="Remedy">The command that resolves it; null when it resolves by itself.</param>
/// <param name="SinceNs">Loop time of its begin.</param>
public sealed record HoldUp(string State, string Reason, string Owner, string? Remedy, long SinceNs);

/// <summary>A step of a change of role.</summary>
/// <param name="Name">What is done or waited for, e.g. "running the pre-acquire hooks".</param>
/// <param name="SinceNs">Loop time of its begin.</param>
public sealed record RoleStep(string Name, long SinceNs);

/// <summary>Progress of a resync.</summary>
/// <param name="TotalBytes">Bytes of the sync set at the start.</param>
/// <param name="RemainingBytes">Bytes of it still to be confirmed.</param>
/// <param name="SentBytes">Data bytes sent so far.</param>
/// <param name="StartedNs">Loop time of the start.</param>
/// <param name="RateBytesPerSecond">Over the last seconds.</param>
/// <param name="EqualBytes">Found equal on both sides by their hashes.</param>
public sealed record ResyncProgress(
    long TotalBytes, long RemainingBytes, long SentBytes, long StartedNs, long RateBytesPerSecond, long EqualBytes)
{
    /// <summary>Seconds until done at the present rate; null when unknown.</summary>
    public long? SecondsLeft => RateBytesPerSecond > 0 ? RemainingBytes / RateBytesPerSecond : null;
}

/// <summary>One volume's part of a status.</summary>
/// <param name="Name">Volume name.</param>
/// <param name="Device">Backing device.</param>
/// <param name="LengthBytes">Size.</param>
/// <param name="DirtyBytes">Bytes that the peer may not have.</param>
/// <param name="Reads">Completed read requests.</param>
/// <param name="Writes">Completed write, zero and discard requests.</param>
public sealed record VolumeStatus(
    string Name, string Device, long LengthBytes, long DirtyBytes, long Reads, long Writes);

/// <summary>Immutable picture of a resource that its loop publishes at each change and about once a second.</summary>
public sealed record ResourceStatus
{
    /// <summary>Resource name.</summary>
    public required string Name { get; init; }
    /// <summary>Role of this node.</summary>
    public required Role Role { get; init; }
    /// <summary>State of this node's copy.</summary>
    public required DiskState DiskState { get; init; }
    /// <summary>State of the link.</summary>
    public required LinkState Link { get; init; }
    /// <summary>The peer's role while connected; null when unknown.</summary>
    public Role? PeerRole { get; init; }
    /// <summary>The peer's disk state as last known.</summary>
    public DiskState? PeerDiskState { get; init; }
    /// <summary>Name of the peer node.</summary>
    public required string PeerName { get; init; }
    /// <summary>Session last joined.</summary>
    public SessionId Session { get; init; }
    /// <summary>Current generation.</summary>
    public Generation Generation { get; init; }
    /// <summary>Promotion counter.</summary>
    public ulong Promotions { get; init; }
    /// <summary>Proof held for this session.</summary>
    public ProofKind Proof { get; init; }
    /// <summary>Running resync, if any.</summary>
    public ResyncProgress? Resync { get; init; }
    /// <summary>What holds the resource up, if anything.</summary>
    public HoldUp? HoldUp { get; init; }
    /// <summary>Requests held at this moment.</summary>
    public int HeldRequests { get; init; }
    /// <summary>Ranges that the disks here could not read and that were written again from the peer's copy.</summary>
    public long RepairedReads { get; init; }
    /// <summary>The verify that runs, or the last one that this daemon ran or was told of; null before.</summary>
    public VerifyPicture? Verify { get; init; }
    /// <summary>Of this node's disks, from before a resync that has not ended; null when there is none.</summary>
    public DateTimeOffset? SnapshotTakenAt { get; init; }
    /// <summary>The copies of this node are open for reading.</summary>
    public bool IsCopyOpen { get; init; }
    /// <summary>When clients hear of a write.</summary>
    public ReplicationMode Mode { get; init; } = ReplicationMode.Sync;
    /// <summary>Bytes of writes whose clients were answered and that the peer has not completed.</summary>
    public long AheadBytes { get; init; }
    /// <summary>Loop time at which the oldest of them was answered; null when there is none.</summary>
    public long? AheadSinceNs { get; init; }
    /// <summary>Case of the last handshake.</summary>
    public string? HandshakeCase { get; init; }
    /// <summary>Step of a change of role that runs; null when none.</summary>
    public RoleStep? Step { get; init; }
    /// <summary>Volumes.</summary>
    public required IReadOnlyList<VolumeStatus> Volumes { get; init; }
}

/// <summary>One thing that happened to a resource.</summary>
/// <param name="AtNs">Loop time.</param>
/// <param name="Kind">Stable name, e.g. link-lost, joined, promoted, resync-started.</param>
/// <param name="Message">One sentence for a reader.</param>
public sealed record ResourceEvent(long AtNs, string Kind, string Message);
