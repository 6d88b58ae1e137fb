namespace MirrorD.Formats.Nbd;

/// <summary>Kinds of chunks of a structured reply (NBD_REPLY_TYPE_…). Bit 15 marks an error.</summary>
public enum NbdChunkType : ushort
{
    /// <summary>No payload; ends a reply.</summary>
    None = 0,
    /// <summary>64-bit offset, then data.</summary>
    OffsetData = 1,
    /// <summary>64-bit offset and 32-bit length of a hole.</summary>
    OffsetHole = 2,
    /// <summary>32-bit context identifier, then extents (<see cref="NbdExtent"/>).</summary>
    BlockStatus = 5,
    /// <summary>32-bit error, 16-bit length of a text, the text.</summary>
    Error = 0x8001,
    /// <summary>As <see cref="Error"/>, then the 64-bit offset that failed.</summary>
    ErrorOffset = 0x8002,
}
