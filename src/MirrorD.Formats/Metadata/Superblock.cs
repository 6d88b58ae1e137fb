namespace MirrorD.Formats.Metadata;

/// <summary>A proof and the session that it belongs to; void in any other.</summary>
/// <param name="Kind">What the proof is.</param>
/// <param name="Session">The session of the proof.</param>
public readonly record struct Proof(ProofKind Kind, SessionId Session)
{
    /// <summary>No proof.</summary>
    public static readonly Proof None;
}

/// <summary>Which side's data counts when both copies were just created.</summary>
public enum CreationSource : byte
{
    /// <summary>Not said: the operator has to.</summary>
    Unnamed = 0,
    /// <summary>This node's data counts (create --from this node).</summary>
    Self = 1,
    /// <summary>The peer's data counts (create --from the peer).</summary>
    Peer = 2,
    /// <summary>
    /// Neither side holds anything (create --empty): both disks were zeroed or need no sync.
    /// </summary>
    Empty = 3,
}

/// <summary>
/// What a volume remembers durably, apart from the activity log and the dirty map. Fields that belong to the
/// resource (generations, session, promotions, proof …) are stored in each of its volumes with equal values.
/// </summary>
public sealed record Superblock
{
    /// <summary>Names the volume, equal on both nodes once they have joined; zero until then.</summary>
    public required Guid ResourceId { get; init; }
    /// <summary>Volume number within the resource, from 0.</summary>
    public required int VolumeIndex { get; init; }
    /// <summary>Name of the resource, at most 63 bytes of UTF-8; guards against a mixed-up disk.</summary>
    public required string ResourceName { get; init; }
    /// <summary>Name of the volume, at most 63 bytes of UTF-8.</summary>
    public required string VolumeName { get; init; }
    /// <summary>The node that this copy belongs to.</summary>
    public required NodeId Node { get; init; }
    /// <summary>The peer, all zero until the first join.</summary>
    public NodeId Peer { get; init; }
    /// <summary>Size of the mirrored data in bytes.</summary>
    public required long DataBytes { get; init; }
    /// <summary>Bytes of a dirty-map block: 4096.</summary>
    public int BlockBytes { get; init; } = 4096;
    /// <summary>Bytes of an activity-log extent: 4 MiB.</summary>
    public int ExtentBytes { get; init; } = 4 * 1024 * 1024;
    /// <summary>Rises with each superblock write; the valid slot with the higher one wins.</summary>
    public ulong Sequence { get; init; }
    /// <summary>Current generation.</summary>
    public Generation Current { get; init; }
    /// <summary>Generation since which the dirty map counts; none when it does not count.</summary>
    public Generation Bitmap { get; init; }
    /// <summary>Earlier generations, newest first, at most 32.</summary>
    public IReadOnlyList<Generation> History { get; init; } = [];
    /// <summary>Last session joined.</summary>
    public SessionId Session { get; init; }
    /// <summary>Raised by each promotion above both nodes' known values.</summary>
    public ulong Promotions { get; init; }
    /// <summary>State of this copy.</summary>
    public DiskState DiskState { get; init; }
    /// <summary>The peer's last known disk state.</summary>
    public DiskState PeerDiskState { get; init; } = DiskState.Diskless;
    /// <summary>Boot id of the peer when last connected.</summary>
    public BootId PeerBoot { get; init; }
    /// <summary>
    /// Highest superblock sequence seen from the peer; a lower one later means a rolled-back peer.
    /// </summary>
    public ulong PeerSequence { get; init; }
    /// <summary>Evidence that this node may go on alone.</summary>
    public Proof Proof { get; init; }
    /// <summary>The peer's copy does not count until the next join.</summary>
    public bool PeerExcluded { get; init; }
    /// <summary>Set from J4 to J6: the peer may already have adopted the current generation.</summary>
    public bool PeerMayHaveCurrent { get; init; }
    /// <summary>Stored before the device opens; left behind by a crashed primary.</summary>
    public bool WasPrimary { get; init; }
    /// <summary>
    /// As Primary (<see cref="WasPrimary"/>) it served in mode memory or async: a write that a client knows of need not be
    /// on the peer's disk.
    /// </summary>
    public bool WasAhead { get; init; }
    /// <summary>This copy is a resync target; the source's generation. None otherwise.</summary>
    public Generation ResyncFrom { get; init; }
    /// <summary>The next sync must copy everything.</summary>
    public bool FullSyncNeeded { get; init; }
    /// <summary>An operator has disconnected this node: the link is not taken up until one connects it again.</summary>
    public bool Disconnected { get; init; }
    /// <summary>Created and never joined.</summary>
    public bool JustCreated { get; init; }
    /// <summary>What create was told about whose data counts.</summary>
    public CreationSource CreationSource { get; init; }
}
