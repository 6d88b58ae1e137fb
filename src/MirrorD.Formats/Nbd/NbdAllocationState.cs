namespace MirrorD.Formats.Nbd;

/// <summary>State of an extent in the context base:allocation (NBD_STATE_…).</summary>
[Flags]
public enum NbdAllocationState : uint
{
    /// <summary>Allocated data.</summary>
    Data = 0,
    /// <summary>Takes no room.</summary>
    Hole = 1 << 0,
    /// <summary>Reads as zeroes.</summary>
    Zero = 1 << 1,
}
