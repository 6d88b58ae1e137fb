using System.Buffers.Binary;

namespace MirrorD.Formats.Watch;

/// <summary>
/// Header of each datagram of the watch, 96 bytes, little endian, identifiers of node and boot in the order
/// in which they are written down. The body follows, then the MAC (<see cref="WatchDatagram"/>).
/// Docs: docs/internals/watch-protocol.md.
/// <code>
///  0  u32  magic
///  4  u8   version
///  5  u8   type
///  6  u16  path
///  8  16   node id
/// 24  16   boot id
/// 40  u64  instance
/// 48  u64  challenge
/// 56  u64  echo
/// 64  u64  newcomer's echo
/// 72  u64  sequence
/// 80  u64  loop time in nanoseconds
/// 88  u16  body length in bytes
/// 90  u8   flags
/// 91  5    reserved, zero
/// </code>
/// </summary>
public readonly record struct WatchHeader
{
    /// <summary>Bytes of a header.</summary>
    public const int Bytes = 96;

    /// <summary>"MIRW", read as little endian.</summary>
    public const uint Magic = 0x5752494D;

    /// <summary>Version of the layout.</summary>
    public const byte Version = 1;

    private const byte HearsFlag = 1;

    /// <summary>What it is.</summary>
    public WatchDatagramType Type { get; init; }

    /// <summary>
    /// The path that it was sent over: 256 × kind (1 dedicated, 2 production) + place among its kind.
    /// </summary>
    public ushort Path { get; init; }

    /// <summary>The sender.</summary>
    public NodeId Node { get; init; }

    /// <summary>This run of the sender's host.</summary>
    public BootId Boot { get; init; }

    /// <summary>This run of the sender's process: random, never zero.</summary>
    public ulong Instance { get; init; }

    /// <summary>
    /// What the sender wants echoed: random, never zero, replaced when older echoes must not count.
    /// </summary>
    public ulong Challenge { get; init; }

    /// <summary>
    /// Latest challenge of the receiver's run that the sender trusts; zero before the first.
    /// </summary>
    public ulong Echo { get; init; }

    /// <summary>
    /// Latest challenge of a run of the receiver that has proven nothing yet; zero when there is none.
    /// </summary>
    public ulong NewcomerEcho { get; init; }

    /// <summary>Counts all datagrams of the sender's process for this receiver, from 1.</summary>
    public ulong Sequence { get; init; }

    /// <summary>Loop time of the sender; for figures only.</summary>
    public long SentNs { get; init; }

    /// <summary>The sender heard the receiver over this path within dead-after, and freshly.</summary>
    public bool HearsReceiver { get; init; }

    /// <summary>True when the datagram answers this challenge; zero answers nothing.</summary>
    public bool Answers(ulong challenge) =>
        challenge != 0 && (Echo == challenge || NewcomerEcho == challenge);

    /// <summary>Writes the header; whatever was there before is overwritten.</summary>
    public void Encode(Span<byte> to, int bodyBytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        to[4] = Version;
        to[5] = (byte)Type;
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], Path);
        Node.Value.TryWriteBytes(to[8..], bigEndian: true, out _);
        Boot.Value.TryWriteBytes(to[24..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64LittleEndian(to[40..], Instance);
        BinaryPrimitives.WriteUInt64LittleEndian(to[48..], Challenge);
        BinaryPrimitives.WriteUInt64LittleEndian(to[56..], Echo);
        BinaryPrimitives.WriteUInt64LittleEndian(to[64..], NewcomerEcho);
        BinaryPrimitives.WriteUInt64LittleEndian(to[72..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[80..], SentNs);
        BinaryPrimitives.WriteUInt16LittleEndian(to[88..], checked((ushort)bodyBytes));
        to[90] = HearsReceiver ? HearsFlag : (byte)0;
        to[91..Bytes].Clear();
    }

    /// <summary>
    /// What can be said before the MAC is known to be right; cheap, as anybody can send anything.
    /// </summary>
    /// <param name="from">The whole datagram.</param>
    internal static WatchFault Check(ReadOnlySpan<byte> from)
    {
        if (from.Length is < Bytes + WatchDatagram.MacBytes or > WatchDatagram.MaxBytes)
        {
            return WatchFault.Length;
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic)
        {
            return WatchFault.Magic;
        }

        if (from[4] != Version)
        {
            return WatchFault.Version;
        }

        int body = BinaryPrimitives.ReadUInt16LittleEndian(from[88..]);
        return from.Length == Bytes + body + WatchDatagram.MacBytes ? WatchFault.None : WatchFault.Length;
    }

    /// <summary>Reads a header whose MAC is right.</summary>
    internal static WatchFault Decode(ReadOnlySpan<byte> from, out WatchHeader header)
    {
        header = new WatchHeader
        {
            Type = (WatchDatagramType)from[5],
            Path = BinaryPrimitives.ReadUInt16LittleEndian(from[6..]),
            Node = new NodeId(new Guid(from.Slice(8, 16), bigEndian: true)),
            Boot = new BootId(new Guid(from.Slice(24, 16), bigEndian: true)),
            Instance = BinaryPrimitives.ReadUInt64LittleEndian(from[40..]),
            Challenge = BinaryPrimitives.ReadUInt64LittleEndian(from[48..]),
            Echo = BinaryPrimitives.ReadUInt64LittleEndian(from[56..]),
            NewcomerEcho = BinaryPrimitives.ReadUInt64LittleEndian(from[64..]),
            Sequence = BinaryPrimitives.ReadUInt64LittleEndian(from[72..]),
            SentNs = BinaryPrimitives.ReadInt64LittleEndian(from[80..]),
            HearsReceiver = (from[90] & HearsFlag) != 0,
        };
        if ((from[90] & ~HearsFlag) != 0 || from[91..Bytes].ContainsAnyExcept((byte)0))
        {
            return WatchFault.Reserved;
        }

        return header.Type is WatchDatagramType.Heartbeat or WatchDatagramType.Control
            ? WatchFault.None : WatchFault.Type;
    }
}
