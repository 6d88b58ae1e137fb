using System.Security.Cryptography;

namespace MirrorD.Formats.Watch;

/// <summary>
/// A whole datagram of the watch: header, body, and 32 bytes of HMAC-SHA-256 over both. Sealing and opening
/// allocate nothing.
/// </summary>
public static class WatchDatagram
{
    /// <summary>Bytes of the MAC at the end.</summary>
    public const int MacBytes = 32;

    /// <summary>Longest datagram: never fragmented on Ethernet, also inside a tunnel.</summary>
    public const int MaxBytes = 1400;

    /// <summary>Longest body.</summary>
    public const int MaxBodyBytes = MaxBytes - WatchHeader.Bytes - MacBytes;

    /// <summary>
    /// Writes header and MAC around a body that stands in its place already.
    /// </summary>
    /// <param name="buffer">
    /// At least <see cref="MaxBytes"/>; the body begins at <see cref="WatchHeader.Bytes"/>.
    /// </param>
    /// <param name="header">The header.</param>
    /// <param name="bodyBytes">Length of the body, up to <see cref="MaxBodyBytes"/>.</param>
    /// <param name="key">Key of this direction.</param>
    /// <returns>Length of the datagram in bytes.</returns>
    public static int Seal(Span<byte> buffer, in WatchHeader header, int bodyBytes, WatchKey key)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bodyBytes, MaxBodyBytes);
        header.Encode(buffer, bodyBytes);
        int signedBytes = WatchHeader.Bytes + bodyBytes;
        key.ComputeMac(buffer[..signedBytes], buffer.Slice(signedBytes, MacBytes));
        return signedBytes + MacBytes;
    }

    /// <summary>
    /// Checks a datagram and reads its header. Header and body may be used only when nothing is wrong.
    /// </summary>
    public static WatchFault Open(
        ReadOnlySpan<byte> datagram, WatchKey key, out WatchHeader header, out ReadOnlySpan<byte> body)
    {
        header = default;
        body = default;
        WatchFault fault = WatchHeader.Check(datagram);
        if (fault != WatchFault.None)
        {
            return fault;
        }

        Span<byte> right = stackalloc byte[MacBytes];
        int signedBytes = datagram.Length - MacBytes;
        key.ComputeMac(datagram[..signedBytes], right);
        if (!CryptographicOperations.FixedTimeEquals(right, datagram[signedBytes..]))
        {
            return WatchFault.Mac;
        }

        fault = WatchHeader.Decode(datagram, out header);
        body = datagram[WatchHeader.Bytes..signedBytes];
        return fault;
    }
}
