namespace MirrorD.Formats.Metadata;

/// <summary>Writes a part of a metadata area when a dump is restored.</summary>
/// <param name="offset">Bytes from the begin of the area.</param>
/// <param name="bytes">Whole blocks.</param>
public delegate void MetadataWrite(long offset, ReadOnlySpan<byte> bytes);
