namespace MirrorD.Formats.Nbd;

/// <summary>Flags of a request (NBD_CMD_FLAG_…).</summary>
[Flags]
public enum NbdCommandFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>FUA: this request is durable before its reply.</summary>
    ForceUnitAccess = 1 << 0,
    /// <summary>NO_HOLE: zeroes stay allocated.</summary>
    NoHole = 1 << 1,
    /// <summary>DF: the data of a read comes in one chunk.</summary>
    DontFragment = 1 << 2,
    /// <summary>REQ_ONE: one extent is enough.</summary>
    OneExtent = 1 << 3,
    /// <summary>FAST_ZERO: zero only if that is faster than writing, else ENOTSUP at once.</summary>
    FastZero = 1 << 4,
}
