namespace MirrorD.Formats.Nbd;

/// <summary>What an export offers (NBD_FLAG_…, 16 bits).</summary>
[Flags]
public enum NbdTransmissionFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Always set.</summary>
    HasFlags = 1 << 0,
    /// <summary>Writes are refused.</summary>
    ReadOnly = 1 << 1,
    /// <summary>FLUSH is offered.</summary>
    SendFlush = 1 << 2,
    /// <summary>The FUA flag is offered.</summary>
    SendFua = 1 << 3,
    /// <summary>Seeks are slow.</summary>
    Rotational = 1 << 4,
    /// <summary>TRIM is offered.</summary>
    SendTrim = 1 << 5,
    /// <summary>WRITE_ZEROES is offered.</summary>
    SendWriteZeroes = 1 << 6,
    /// <summary>The DF flag is offered; only with structured replies.</summary>
    SendDontFragment = 1 << 7,
    /// <summary>A flush on one connection covers the replied writes of all connections.</summary>
    CanMultiConnection = 1 << 8,
    /// <summary>RESIZE is offered.</summary>
    SendResize = 1 << 9,
    /// <summary>CACHE is offered.</summary>
    SendCache = 1 << 10,
    /// <summary>The FAST_ZERO flag is understood.</summary>
    SendFastZero = 1 << 11,
}
