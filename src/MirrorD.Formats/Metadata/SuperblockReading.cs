namespace MirrorD.Formats.Metadata;

/// <summary>What was found in a superblock slot.</summary>
/// <param name="Superblock">The superblock; null when there is an error.</param>
/// <param name="Error">Why there is none.</param>
/// <param name="Field">With <see cref="MetadataError.FieldOutOfRange"/>: the field's name.</param>
public readonly record struct SuperblockReading(
    Superblock? Superblock, MetadataError Error, string? Field = null);
