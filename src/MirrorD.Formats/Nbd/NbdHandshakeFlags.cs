namespace MirrorD.Formats.Nbd;

/// <summary>
/// Handshake flags: 16 bits from the server, and, with the same two meanings, 32 bits from the client.
/// </summary>
[Flags]
public enum NbdHandshakeFlags : uint
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>NBD_FLAG_FIXED_NEWSTYLE: options get replies; unknown ones are refused, not fatal.</summary>
    FixedNewstyle = 1 << 0,
    /// <summary>NBD_FLAG_NO_ZEROES: the answer to EXPORT_NAME ends without 124 zero bytes.</summary>
    NoZeroes = 1 << 1,
}
