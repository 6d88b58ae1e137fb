namespace MirrorD.Formats.Metadata;

/// <summary>What the inspector found in a metadata area.</summary>
/// <param name="Slots">Both superblock slots.</param>
/// <param name="Image">
/// Everything that counts: the superblock of the higher sequence, the log, the map with damaged pages all
/// dirty; null when no slot is intact.
/// </param>
/// <param name="Log">The activity log; null when no slot is intact.</param>
/// <param name="DamagedPages">Pages of the dirty map that failed a check, or could not be read.</param>
public sealed record MetadataInspection(
    IReadOnlyList<SuperblockReading> Slots, MetadataImage? Image, ActivityLogReading? Log,
    IReadOnlyList<int> DamagedPages);
