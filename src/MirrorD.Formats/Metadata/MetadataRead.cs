namespace MirrorD.Formats.Metadata;

/// <summary>Reads a part of a metadata area for the inspector.</summary>
/// <param name="offset">Bytes from the begin of the area.</param>
/// <param name="into">Filled completely.</param>
/// <returns>False when the disk could not read it.</returns>
public delegate bool MetadataRead(long offset, Span<byte> into);
