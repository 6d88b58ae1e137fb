namespace MirrorD.Formats.Nbd;

/// <summary>Request types of the transmission phase (NBD_CMD_…).</summary>
public enum NbdCommand : ushort
{
    /// <summary>Read a range.</summary>
    Read = 0,
    /// <summary>Write a range; the data follows the header.</summary>
    Write = 1,
    /// <summary>Disconnect in order; not replied to.</summary>
    Disconnect = 2,
    /// <summary>Make all replied writes durable.</summary>
    Flush = 3,
    /// <summary>The range is no longer needed.</summary>
    Trim = 4,
    /// <summary>The range will be read soon.</summary>
    Cache = 5,
    /// <summary>Make the range read as zeroes.</summary>
    WriteZeroes = 6,
    /// <summary>Tell which parts of a range are allocated.</summary>
    BlockStatus = 7,
}
