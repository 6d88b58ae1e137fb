using System.Diagnostics.CodeAnalysis;
using MirrorD.Core.Metadata;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Metadata;

/// <summary>What a volume's metadata said when it was activated.</summary>
/// <param name="Superblock">The superblock; null when the metadata can't be used.</param>
/// <param name="Map">The dirty map, the extents of the activity log in it; null when there is no
/// superblock.</param>
/// <param name="LogWasNotEmpty">Extents were active (or nobody knows which): the volume was not shut
/// down.</param>
/// <param name="Damage">Null, or what is wrong and what to do about it, for the operator.</param>
public sealed record MetadataLoad(Superblock? Superblock, DirtyMap? Map, bool LogWasNotEmpty, string? Damage)
{
    /// <summary>The metadata was read and activated.</summary>
    [MemberNotNullWhen(true, nameof(Superblock), nameof(Map))]
    [MemberNotNullWhen(false, nameof(Damage))]
    public bool IsUsable => Damage is null;
}
