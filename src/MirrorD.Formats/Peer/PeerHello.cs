using System.Buffers.Binary;
using System.Text;

namespace MirrorD.Formats.Peer;

/// <summary>
/// What each side says first on a new connection, after the TLS handshake: 128 bytes, little endian, the node id in the order in
/// which it is written down.
/// <code>
///   0  u32  magic
///   4  u16  lowest version spoken
///   6  u16  highest version spoken
///   8  16   node id
///  24  32   challenge
///  56  64   resource name, UTF-8, padded with zeroes
/// 120  u32  flags: 1 encrypts; the others zero
/// 124  u32  CRC-32C of bytes 0 to 123
/// </code>
/// </summary>
public sealed record PeerHello(NodeId Node, ReadOnlyMemory<byte> Challenge, string Resource, bool Encrypts)
{
    /// <summary>Bytes of a hello.</summary>
    public const int Bytes = 128;

    /// <summary>Bytes of a challenge.</summary>
    public const int ChallengeBytes = 32;

    /// <summary>"MIRH", read as little endian.</summary>
    public const uint Magic = 0x4852494D;

    /// <summary>Lowest protocol version spoken.</summary>
    public const ushort LowestVersion = 2;

    /// <summary>Highest protocol version spoken.</summary>
    public const ushort HighestVersion = 3;

    /// <summary>From this version on an acknowledgement says what the mutation took on the receiver.</summary>
    public const ushort VersionWithTimes = 3;

    private const uint EncryptsFlag = 1;

    /// <summary>Highest version that the sender speaks.</summary>
    public ushort Highest { get; init; } = HighestVersion;

    /// <summary>Writes the hello.</summary>
    public void Encode(Span<byte> to)
    {
        to[..Bytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], LowestVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], Highest);
        Node.Value.TryWriteBytes(to[8..], bigEndian: true, out _);
        Challenge.Span.CopyTo(to[24..]);
        Encoding.UTF8.GetBytes(Resource, to.Slice(56, 64));
        BinaryPrimitives.WriteUInt32LittleEndian(to[120..], Encrypts ? EncryptsFlag : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(to[124..], Crc32C.Compute(to[..124]));
    }

    /// <summary>Reads a hello; the error names what is wrong and is empty when nothing is.</summary>
    public static PeerHello? Decode(ReadOnlySpan<byte> from, out string error)
    {
        error = "";
        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic)
        {
            error = "not a mirrord peer (magic)";
        }
        else if (BinaryPrimitives.ReadUInt32LittleEndian(from[124..]) != Crc32C.Compute(from[..124]))
        {
            error = "damaged hello (checksum)";
        }
        else if (BinaryPrimitives.ReadUInt16LittleEndian(from[4..]) > HighestVersion
            || BinaryPrimitives.ReadUInt16LittleEndian(from[6..]) < LowestVersion)
        {
            error = $"peer speaks protocol versions {BinaryPrimitives.ReadUInt16LittleEndian(from[4..])} to "
                + $"{BinaryPrimitives.ReadUInt16LittleEndian(from[6..])}, this node {LowestVersion} to "
                + $"{HighestVersion}: install the same release on both nodes";
        }
        else if (BinaryPrimitives.ReadUInt32LittleEndian(from[120..]) > EncryptsFlag)
        {
            error = "unknown flags of the hello";
        }

        if (error.Length > 0)
        {
            return null;
        }

        ReadOnlySpan<byte> name = from.Slice(56, 64);
        int end = name.IndexOf((byte)0);
        return new PeerHello(
            new NodeId(new Guid(from.Slice(8, 16), bigEndian: true)),
            from.Slice(24, ChallengeBytes).ToArray(),
            Encoding.UTF8.GetString(end < 0 ? name : name[..end]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[120..]) == EncryptsFlag)
        {
            Highest = BinaryPrimitives.ReadUInt16LittleEndian(from[6..]),
        };
    }
}
