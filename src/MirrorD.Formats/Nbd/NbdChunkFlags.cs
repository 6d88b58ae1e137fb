namespace MirrorD.Formats.Nbd;

/// <summary>Flags of a structured reply chunk (NBD_REPLY_FLAG_…).</summary>
[Flags]
public enum NbdChunkFlags : ushort
{
    /// <summary>More chunks follow.</summary>
    None = 0,
    /// <summary>The last chunk of the reply.</summary>
    Done = 1 << 0,
}
