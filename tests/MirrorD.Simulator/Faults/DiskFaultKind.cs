namespace MirrorD.Simulator.Faults;

/// <summary>What can become of a disk.</summary>
public enum DiskFaultKind
{
    /// <summary>It takes no data.</summary>
    Writes,
    /// <summary>It takes nothing, metadata neither.</summary>
    WritesOfAll,
    /// <summary>It can't flush.</summary>
    Flushes,
    /// <summary>The file system of a volume in a file is full.</summary>
    Full,
    /// <summary>Some ranges can't be read until they are written again.</summary>
    UnreadableRange,
    /// <summary>It does not answer for data, and carries everything out later.</summary>
    Hang,
    /// <summary>Nor for metadata.</summary>
    HangWithMetadata,
    /// <summary>An operator takes it out of use.</summary>
    Detach,
}
