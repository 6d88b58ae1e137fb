namespace MirrorD.Formats.Nbd;

/// <summary>
/// Limits that the protocol page sets, or that clients take for granted when nothing is agreed.
/// </summary>
public static class NbdLimits
{
    /// <summary>Longest string in bytes (export name, context, error text).</summary>
    public const int StringBytes = 4096;

    /// <summary>Payload in bytes that clients may send when no maximum was agreed.</summary>
    public const int PayloadBytes = 32 << 20;

    /// <summary>Length in bytes up to which a read with the DF flag must be answered in one chunk.</summary>
    public const int UnfragmentedReadBytes = 64 << 10;

    /// <summary>Block size in bytes that the protocol suggests as preferred.</summary>
    public const int PreferredBlockBytes = 4096;
}
