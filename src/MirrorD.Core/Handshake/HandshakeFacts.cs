using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Handshake;

/// <summary>What one side brings into a handshake; both sides evaluate the same table on both sides' facts.</summary>
public sealed record HandshakeFacts
{
    /// <summary>The node.</summary>
    public required NodeId Node { get; init; }
    /// <summary>Its present boot.</summary>
    public required BootId Boot { get; init; }
    /// <summary>The other side's boot when they were last connected.</summary>
    public required BootId PeerBoot { get; init; }
    /// <summary>Its present role.</summary>
    public required Role Role { get; init; }
    /// <summary>Current generation.</summary>
    public required Generation Current { get; init; }
    /// <summary>Bitmap generation.</summary>
    public required Generation Bitmap { get; init; }
    /// <summary>Earlier generations, newest first.</summary>
    public required IReadOnlyList<Generation> History { get; init; }
    /// <summary>Last session joined.</summary>
    public required SessionId Session { get; init; }
    /// <summary>Promotion counter.</summary>
    public required ulong Promotions { get; init; }
    /// <summary>State of its copy.</summary>
    public required DiskState DiskState { get; init; }
    /// <summary>Created and never joined.</summary>
    public required bool JustCreated { get; init; }
    /// <summary>Whose data counts, as said at creation.</summary>
    public required CreationSource CreationSource { get; init; }
    /// <summary>Its superblock sequence.</summary>
    public required ulong Sequence { get; init; }
    /// <summary>Highest superblock sequence that it has seen from the other side.</summary>
    public required ulong PeerSequence { get; init; }
    /// <summary>It was Primary and did not demote.</summary>
    public required bool CrashedPrimary { get; init; }
    /// <summary>Blocks in the union of its dirty map, its activity log and its ranges above the durable point.</summary>
    public required long DirtyBlocks { get; init; }
    /// <summary>It holds a valid proof for its session.</summary>
    public required bool HasProof { get; init; }
    /// <summary>Its copy must be copied as a whole.</summary>
    public required bool FullSyncNeeded { get; init; }
    /// <summary>Mirrored bytes of each volume.</summary>
    public required IReadOnlyList<long> VolumeBytes { get; init; }
}
