namespace MirrorD.Api;

/// <summary>
/// A resource as its node sees it. States are the words of the documentation, e.g. UpToDate.
/// </summary>
public sealed record ResourceReport
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>ok, syncing, degraded, held-up or failed; see <see cref="ResourceHealth"/>.</summary>
    public required string Health { get; init; }

    /// <summary>Primary or Standby.</summary>
    public required string Role { get; init; }

    /// <summary>State of this node's copy.</summary>
    public required string DiskState { get; init; }

    /// <summary>
    /// Disconnected, Authenticating, Joining, SyncSource, SyncTarget, Joined, Refused or Diskless: the Primary goes on
    /// with the other node's copy.
    /// </summary>
    public required string Link { get; init; }

    /// <summary>Name of the other node.</summary>
    public required string Peer { get; init; }

    /// <summary>Role of the other node; null while unknown.</summary>
    public string? PeerRole { get; init; }

    /// <summary>State of the other node's copy as last known; null when unknown.</summary>
    public string? PeerDiskState { get; init; }

    /// <summary>When clients hear of a write: sync, memory or async.</summary>
    public string Mode { get; init; } = "sync";

    /// <summary>
    /// Bytes of writes, answered to clients and not flushed, that the peer has not completed: what is at risk in modes
    /// memory and async.
    /// </summary>
    public long AheadBytes { get; init; }

    /// <summary>Milliseconds since the oldest of them was answered; null when there is none.</summary>
    public long? AheadMs { get; init; }

    /// <summary>Session last joined, 16 hexadecimal digits; null when never joined.</summary>
    public string? Session { get; init; }

    /// <summary>Current generation, 16 hexadecimal digits; null when none.</summary>
    public string? Generation { get; init; }

    /// <summary>Promotion counter.</summary>
    public ulong Promotions { get; init; }

    /// <summary>Evidence held that the peer does not serve; None when there is none.</summary>
    public required string Proof { get; init; }

    /// <summary>Case of the last handshake; null before the first.</summary>
    public string? HandshakeCase { get; init; }

    /// <summary>Why the last attempts to connect failed; null since a handshake came about.</summary>
    public string? LinkProblem { get; init; }

    /// <summary>The standby takes over by itself when all paths to the Primary are lost.</summary>
    public bool Autoswitch { get; init; }

    /// <summary>Why the standby does not take over by itself; null when it does.</summary>
    public string? AutoswitchNote { get; init; }

    /// <summary>
    /// When this copy, which is Outdated, became so; null when it is not, or nothing tells when.
    /// </summary>
    public DateTimeOffset? OutdatedSince { get; init; }

    /// <summary>
    /// When this node first went on without the other one since they were last joined; null when it did not, or nothing
    /// tells when.
    /// </summary>
    public DateTimeOffset? AloneSince { get; init; }

    /// <summary>Requests that wait at this moment.</summary>
    public int HeldRequests { get; init; }

    /// <summary>Ranges that this node's disks could not read, and that were written again from the peer's copy.</summary>
    public long RepairedReads { get; init; }

    /// <summary>When the snapshot of this node's copy was taken that a resync overwrites now; null when there is none.</summary>
    public DateTimeOffset? SnapshotTakenAt { get; init; }

    /// <summary>Step of taking over or releasing that runs now; null when none.</summary>
    public string? Step { get; init; }

    /// <summary>Running resync; null when none.</summary>
    public ResyncReport? Resync { get; init; }

    /// <summary>The verify that runs, or the last one; null before the first.</summary>
    public VerifyReport? Verify { get; init; }

    /// <summary>When the next verify is due by the schedule, on whichever node compares then; null without a schedule.</summary>
    public DateTimeOffset? NextVerifyAt { get; init; }

    /// <summary>What holds the resource up; null when nothing does.</summary>
    public HoldUpReport? HoldUp { get; init; }

    /// <summary>Volumes in order.</summary>
    public required IReadOnlyList<VolumeReport> Volumes { get; init; }

    /// <summary>Service addresses.</summary>
    public required IReadOnlyList<AddressReport> Addresses { get; init; }
}
