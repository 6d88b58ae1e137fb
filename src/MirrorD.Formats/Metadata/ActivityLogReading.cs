namespace MirrorD.Formats.Metadata;

/// <summary>What the ring of the activity log says after a restart.</summary>
/// <param name="Sequence">Number of the newest intact transaction; 0 when there is none.</param>
/// <param name="Extents">Active extents, ascending. Meaningless when <paramref name="IsTrusted"/> is
/// false.</param>
/// <param name="DamagedSlots">Slots that hold neither zeroes nor an intact transaction.</param>
/// <param name="IsTrusted">False: nothing is known, every extent counts as active.</param>
public sealed record ActivityLogReading(
    ulong Sequence, IReadOnlyList<uint> Extents, int DamagedSlots, bool IsTrusted);
