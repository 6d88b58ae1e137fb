using MirrorD.Core.Failover;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;
using MirrorD.Io;

namespace MirrorD.Engine.Control;

/// <summary>One volume: its opened disks.</summary>
/// <param name="Name">Volume name.</param>
/// <param name="Data">The backing disk; data begins at byte 0.</param>
/// <param name="Metadata">Where the metadata lives; the same object as <paramref name="Data"/> when internal.</param>
/// <param name="MetadataOffset">Byte offset of the metadata area on <paramref name="Metadata"/>.</param>
/// <param name="MetadataBytes">Length of the metadata area.</param>
public sealed record VolumeOptions(
    string Name, IDisk Data, IDisk Metadata, long MetadataOffset, long MetadataBytes)
{
    /// <summary>
    /// Where internal metadata lay when the disk had another size, while it may still lie there; null when unknown.
    /// </summary>
    public MetadataPlacement? Former { get; init; }

    /// <summary>Told on the loop, after the load and after each move, where the metadata lies: its first byte.</summary>
    public Action<long>? MetadataPlaced { get; init; }

    /// <summary>The metadata lies on the disk that it describes.</summary>
    public bool IsInternal => ReferenceEquals(Data, Metadata);
}

/// <summary>What a resource needs to run on one node.</summary>
public sealed record ResourceOptions
{
    /// <summary>Resource name.</summary>
    public required string Name { get; init; }
    /// <summary>Name of this node.</summary>
    public required string NodeName { get; init; }
    /// <summary>Stable id of this node.</summary>
    public required NodeId Node { get; init; }
    /// <summary>This run of the host.</summary>
    public required BootId Boot { get; init; }
    /// <summary>Name of the peer.</summary>
    public required string PeerName { get; init; }
    /// <summary>Volumes in order.</summary>
    public required IReadOnlyList<VolumeOptions> Volumes { get; init; }
    /// <summary>
    /// Where the link listens: this node's dedicated address and interface. The node whose name sorts first
    /// (ordinal) connects, the other one listens.
    /// </summary>
    public required Endpoint Listen { get; init; }
    /// <summary>Where the peer listens.</summary>
    public required Endpoint Connect { get; init; }
    /// <summary>How connections to the peer are made safe.</summary>
    public required Link.ILinkSecurity Security { get; init; }
    /// <summary>The link is encrypted; the same on both nodes. Where it is not, all that it carries has tags.</summary>
    public bool Encrypts { get; init; }

    /// <summary>Highest version of the link's protocol that is spoken; a lower one is that of a former release.</summary>
    public ushort LinkVersion { get; init; } = PeerHello.HighestVersion;
    /// <summary>What a Primary without arbiter does when every path to the peer is lost.</summary>
    public PeerLoss OnPeerLoss { get; init; } = PeerLoss.Freeze;
    /// <summary>A Standby takes over by itself where the rules allow it.</summary>
    public bool Autoswitch { get; init; }
    /// <summary>What a Standby waits in addition once it may take over.</summary>
    public int TakeoverDelayMs { get; init; }
    /// <summary>A peer that does not answer for so long can't be asked to store Outdated.</summary>
    public int OutdateTimeoutMs { get; init; } = 2000;
    /// <summary>prefer-connected-node: auto; a Primary that loses its production network hands over.</summary>
    public bool FollowsProduction { get; init; }
    /// <summary>preferred-primary: true for this node, false for the peer, null when none is named.</summary>
    public bool? IsPreferred { get; init; }
    /// <summary>A link without any frame from the peer for so long is lost.</summary>
    public int LinkTimeoutMs { get; init; } = 5000;
    /// <summary>A loop that has not ticked for so long counts as stuck to the watch.</summary>
    public int DeadAfterMs { get; init; } = 5000;
    /// <summary>
    /// So long a holder that lost its right may take to remove the service addresses, before it counts as stuck.
    /// </summary>
    public int ReleaseTimeoutMs { get; init; } = 10_000;
    /// <summary>Slots of 128 KiB for requests in flight.</summary>
    public int BufferSlots { get; init; } = 256;
    /// <summary>Where the memory of slots comes from; the heap when null.</summary>
    public IMemorySource? SlotMemory { get; init; }
    /// <summary>Extents of the activity log of each volume that may be active at once; at least 2.</summary>
    public int ActiveExtents { get; init; } = Core.Limits.ActiveExtents;
    /// <summary>Copies of a resync that have ended before both sides flush; at least 1.</summary>
    public int CopiesPerFlush { get; init; } = Core.Limits.CopiesPerFlush;
    /// <summary>A disk that does not answer a request for so long has failed; 0 means never.</summary>
    public int DiskTimeoutMs { get; init; }
    /// <summary>When clients hear of a write; the same on both nodes.</summary>
    public ReplicationMode Mode { get; init; } = ReplicationMode.Sync;
    /// <summary>Mode async: bytes of writes that are sent and not completed by the peer; beyond it writes wait.</summary>
    public long AsyncBufferBytes { get; init; } = 16 << 20;
    /// <summary>Mode async: writes wait while one was answered longer ago than this and the peer lacks it.</summary>
    public int AsyncLagMs { get; init; } = 5000;
    /// <summary>Down to this rate a resync yields to clients' requests; 0: it does not yield.</summary>
    public long ResyncFloorBytesPerSecond { get; init; }
    /// <summary>A resync asks for the target's hashes first, and sends only what differs.</summary>
    public bool ResyncByChecksum { get; init; }
    /// <summary>Snapshots of this node's disks while a resync overwrites them; null where none can be taken.</summary>
    public ISnapshots? Snapshots { get; init; }
    /// <summary>What may end a split brain without an operator; the same on both nodes, or nothing does.</summary>
    public Core.Handshake.SplitBrainPolicy SplitBrainPolicy { get; init; }
    /// <summary>Ceiling of the resync rate; 0 means none.</summary>
    public long ResyncBytesPerSecond { get; init; }
    /// <summary>Ceiling of the rate of a verify; 0 means none.</summary>
    public long VerifyBytesPerSecond { get; init; }
}
