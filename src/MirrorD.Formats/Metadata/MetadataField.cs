namespace MirrorD.Formats.Metadata;

/// <summary>One field of a metadata block: what the layout page, the tests and the inspector go by.</summary>
/// <param name="Offset">First byte within the block.</param>
/// <param name="LengthBytes">Bytes.</param>
/// <param name="Name">Stable name, as printed by <c>mirrorctl inspect</c>.</param>
public readonly record struct MetadataField(int Offset, int LengthBytes, string Name);
