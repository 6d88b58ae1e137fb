using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Handshake;

/// <summary>
/// What one side of a resource brings into a handshake: its stored values and its role. Both sides evaluate
/// <see cref="HandshakeTable"/> on both sides' facts.
/// </summary>
public sealed record HandshakeFacts
{
    /// <summary>The node.</summary>
    public required NodeId Node { get; init; }
    /// <summary>This run of its host.</summary>
    public required BootId Boot { get; init; }
    /// <summary>Boot id of the other side when they were last connected.</summary>
    public BootId PeerBoot { get; init; }
    /// <summary>Current generation.</summary>
    public required Generation Current { get; init; }
    /// <summary>Bitmap generation, or none.</summary>
    public Generation Bitmap { get; init; }
    /// <summary>Earlier generations, at most 32.</summary>
    public IReadOnlyList<Generation> History { get; init; } = [];
    /// <summary>Session last joined.</summary>
    public SessionId Session { get; init; }
    /// <summary>Promotion counter.</summary>
    public ulong Promotions { get; init; }
    /// <summary>State of the copy, the worst of its volumes.</summary>
    public required DiskState DiskState { get; init; }
    /// <summary>It is Primary, or its device has outlived its daemon in the same run of the host.</summary>
    public bool IsPrimary { get; init; }
    /// <summary>Stored before the device opened and not cleared since.</summary>
    public bool WasPrimary { get; init; }
    /// <summary>It holds a proof that is valid for its session.</summary>
    public bool HasProof { get; init; }
    /// <summary>Its copy was created and has never been joined.</summary>
    public bool JustCreated { get; init; }
    /// <summary>Whose data counts, as its creation was told.</summary>
    public CreationSource CreationSource { get; init; }
    /// <summary>The next sync must copy everything.</summary>
    public bool FullSyncNeeded { get; init; }
    /// <summary>
    /// In a split brain its copy gives way: an operator has just said so. Not stored.
    /// </summary>
    public bool GivesWay { get; init; }
    /// <summary>What may end a split brain without an operator, as configured.</summary>
    public SplitBrainPolicy SplitBrainPolicy { get; init; }
    /// <summary>
    /// No policy gives its copy up: it is being read, or it has changed and could not be kept, or no operator has ended its
    /// role since its daemon started. Not stored.
    /// </summary>
    public bool IsSpared { get; init; }
    /// <summary>Its volumes disagree on generations, session or promotions.</summary>
    public bool VolumesDisagree { get; init; }
    /// <summary>When its clients hear of a write, as configured.</summary>
    public ReplicationMode Mode { get; init; } = ReplicationMode.Sync;
    /// <summary>As Primary it served in mode memory or async, whatever the configuration says by now.</summary>
    public bool WasAhead { get; init; }
    /// <summary>
    /// Blocks that the other side may not have, over all volumes: dirty map, activity log and what is above
    /// the durable point, whatever the flags.
    /// </summary>
    public long SyncSetBlocks { get; init; }
    /// <summary>The volumes in order.</summary>
    public required IReadOnlyList<VolumeFacts> Volumes { get; init; }

    /// <summary>A write that was completed here was on both sides.</summary>
    public bool IsSynchronous => Mode == ReplicationMode.Sync && !WasAhead;

    /// <summary>It was Primary and did not end that in order.</summary>
    public bool IsCrashedPrimary => WasPrimary && !IsPrimary;

    /// <summary>Gathers the facts from the stored state of all volumes of a resource.</summary>
    /// <param name="volumes">Superblocks in the order of the volumes, at least one.</param>
    /// <param name="boot">This run of the host.</param>
    /// <param name="isPrimary">See <see cref="IsPrimary"/>.</param>
    /// <param name="syncSetBlocks">See <see cref="SyncSetBlocks"/>.</param>
    /// <param name="mode">See <see cref="Mode"/>.</param>
    public static HandshakeFacts Of(
        IReadOnlyList<Superblock> volumes, BootId boot, bool isPrimary, long syncSetBlocks,
        ReplicationMode mode = ReplicationMode.Sync)
    {
        Invariant.Require(volumes.Count > 0, "a resource has a volume");
        Superblock first = volumes[0];
        return new HandshakeFacts
        {
            Node = first.Node,
            Boot = boot,
            PeerBoot = first.PeerBoot,
            Current = first.Current,
            Bitmap = first.Bitmap,
            History = first.History,
            Session = first.Session,
            Promotions = first.Promotions,
            DiskState = volumes.Min(volume => volume.DiskState),
            IsPrimary = isPrimary,
            WasPrimary = volumes.Any(volume => volume.WasPrimary),
            Mode = mode,
            WasAhead = volumes.Any(volume => volume is { WasPrimary: true, WasAhead: true }),
            HasProof = volumes.All(GenerationRules.HasValidProof),
            JustCreated = volumes.Any(volume => volume.JustCreated),
            CreationSource = first.CreationSource,
            FullSyncNeeded = volumes.Any(volume => volume.FullSyncNeeded),
            VolumesDisagree = volumes.Any(volume => !GenerationRules.Agree(first, volume)),
            SyncSetBlocks = syncSetBlocks,
            Volumes = [.. volumes.Select(v => new VolumeFacts(v.DataBytes, v.Sequence, v.PeerSequence))],
        };
    }
}
