namespace MirrorD.Daemon.Snapshots;

/// <summary>A logical volume as lvs(8) shows it.</summary>
internal sealed record LogicalVolume
{
    /// <summary>Its volume group.</summary>
    public required string Group { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>It is thin: it has blocks of its pool only where it was written.</summary>
    public bool IsThin { get; init; }

    /// <summary>Name of the pool of a thin one; else empty.</summary>
    public string Pool { get; init; } = "";

    /// <summary>Its size.</summary>
    public long LengthBytes { get; init; }

    /// <summary>How much of it has blocks, or of a pool is taken; null when that is not known.</summary>
    public double? DataPercent { get; init; }

    /// <summary>How much of a pool's metadata is taken; null for others.</summary>
    public double? MetadataPercent { get; init; }

    /// <summary>When it was made, to the second.</summary>
    public DateTimeOffset MadeAt { get; init; }

    /// <summary>Its name to LVM.</summary>
    public string FullName => $"{Group}/{Name}";

    /// <summary>Its device, while it is active.</summary>
    public string Device => "/dev/" + FullName;

    /// <summary>Bytes that have blocks.</summary>
    public long TakenBytes => (long)Math.Ceiling(LengthBytes * (DataPercent ?? 100) / 100);
}
