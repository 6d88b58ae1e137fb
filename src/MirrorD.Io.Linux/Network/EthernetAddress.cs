using System.Buffers.Binary;
using System.Globalization;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.Network;

/// <summary>Address of an Ethernet interface (MAC), six bytes.</summary>
/// <param name="Bits">The 48 bits; the first byte on the wire is the highest.</param>
public readonly record struct EthernetAddress(ulong Bits)
{
    /// <summary>Reads the first six bytes.</summary>
    public static EthernetAddress Read(ReadOnlySpan<byte> bytes) => new(
        ((ulong)BinaryPrimitives.ReadUInt32BigEndian(bytes) << 16)
        | BinaryPrimitives.ReadUInt16BigEndian(bytes[4..IfEther.ETH_ALEN]));

    /// <summary>Writes six bytes.</summary>
    public void CopyTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)(Bits >> 16));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], (ushort)Bits);
    }

    /// <summary>As "02:11:22:33:44:55".</summary>
    public override string ToString()
    {
        ulong bits = Bits;
        return string.Join(':', Enumerable.Range(0, IfEther.ETH_ALEN).Select(index =>
            ((byte)(bits >> (40 - (8 * index)))).ToString("x2", CultureInfo.InvariantCulture)));
    }
}
