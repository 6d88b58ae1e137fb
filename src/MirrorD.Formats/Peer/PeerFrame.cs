using System.Buffers.Binary;

namespace MirrorD.Formats.Peer;

/// <summary>Frames of the peer link. Values go over the wire.</summary>
public enum PeerFrameType : byte
{
    /// <summary>
    /// A client's write; the payload is the data. Sequence counts mutations of this connection from 1.
    /// </summary>
    Write = 1,
    /// <summary>A range becomes zeroes; no payload. Same sequence space.</summary>
    Zero = 2,
    /// <summary>A resync copy; as a write, same sequence space.</summary>
    Copy = 3,
    /// <summary>Flush everything up to the sequence.</summary>
    Flush = 4,
    /// <summary>
    /// The mutation with this sequence has completed on the receiver; the offset is what that took it, in nanoseconds from
    /// received whole (version 3 of the protocol, else zero).
    /// </summary>
    Acknowledge = 5,
    /// <summary>Everything up to the sequence is durable on the receiver.</summary>
    Durable = 6,
    /// <summary>A sign of life.</summary>
    Ping = 7,
    /// <summary>A control message: an encoded <see cref="PeerMessage"/>.</summary>
    Message = 8,
    /// <summary>
    /// In mode memory: the client's mutation with this sequence is in the receiver's memory, and will be carried out.
    /// </summary>
    Received = 9,
    /// <summary>
    /// A Primary wants to read a range: its own disk could not, or it has none. Sequence numbers its questions.
    /// </summary>
    Read = 10,
    /// <summary>The answer to the read with this number; the payload is the data.</summary>
    ReadData = 11,
    /// <summary>The read with this number failed.</summary>
    ReadFailed = 12,
    /// <summary>A resync copy of a range that is all zeroes: no payload, the receiver may give the room back.</summary>
    CopyZero = 13,
    /// <summary>
    /// A resync or a verify asks for the hash of what the receiver has in a range. Same sequence space as mutations: what is flushed
    /// afterwards is flushed after it was read.
    /// </summary>
    HashQuestion = 14,
    /// <summary>The <see cref="RangeHash"/> of the range asked for with this sequence; without payload when it can't be read.</summary>
    HashAnswer = 15,
}

/// <summary>Flags of a frame.</summary>
[Flags]
public enum PeerFrameFlags : ushort
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>The mutation must itself be durable before its acknowledgement.</summary>
    ForceUnitAccess = 1,
    /// <summary>A zero may give room back.</summary>
    MayUnmap = 2,
}

/// <summary>
/// Header of every frame after authentication, 64 bytes, little endian (docs/internals/peer-protocol.md).
/// <code>
///  0  u32  magic
///  4  u8   version
///  5  u8   type
///  6  u16  flags
///  8  u64  session
/// 16  u64  sequence
/// 24  u64  offset
/// 32  u32  range length in bytes
/// 36  u32  payload length in bytes
/// 40  u16  volume
/// 42  u16  reserved, zero
/// 44  12   tag of the payload (<see cref="Peer.PayloadTag"/>), zero without one or where the connection is encrypted
/// 56  u64  tag: SipHash-2-4 of bytes 0 to 55 and the frame's number in its direction
/// </code>
/// </summary>
public readonly record struct PeerFrame
{
    /// <summary>Bytes of a header.</summary>
    public const int HeaderBytes = 64;

    private const int TagAt = 56;

    /// <summary>"MIRR", read as little endian.</summary>
    public const uint Magic = 0x5252494D;

    /// <summary>Version of the framing.</summary>
    public const byte Version = 2;

    /// <summary>What a mutation took, as told in an acknowledgement, in nanoseconds: at most an hour.</summary>
    public const long MaxAppliedNs = 3_600_000_000_000;

    /// <summary>Longest payload of a write or copy: one slot.</summary>
    public const int MaxDataBytes = 128 * 1024;

    /// <summary>Longest control message.</summary>
    public const int MaxMessageBytes = 16 * 1024;

    /// <summary>Longest range of a zero.</summary>
    public const uint MaxZeroBytes = 1u << 30;

    /// <summary>What it is.</summary>
    public PeerFrameType Type { get; init; }

    /// <summary>Flags.</summary>
    public PeerFrameFlags Flags { get; init; }

    /// <summary>The session that this connection joins.</summary>
    public SessionId Session { get; init; }

    /// <summary>Sequence of the mutation, or that which is flushed or acknowledged.</summary>
    public long Sequence { get; init; }

    /// <summary>Byte offset in the volume.</summary>
    public long Offset { get; init; }

    /// <summary>Bytes of the range.</summary>
    public uint RangeBytes { get; init; }

    /// <summary>Bytes that follow the header.</summary>
    public uint PayloadBytes { get; init; }

    /// <summary>Tag of the payload; zero without one.</summary>
    public PayloadTag PayloadTag { get; init; }

    /// <summary>Volume number.</summary>
    public ushort Volume { get; init; }

    /// <summary>Writes the header.</summary>
    public void Encode(Span<byte> to, in SipKey key, ulong frameNumber)
    {
        to[..HeaderBytes].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        to[4] = Version;
        to[5] = (byte)Type;
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], (ushort)Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Session.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Sequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(to[32..], RangeBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(to[36..], PayloadBytes);
        BinaryPrimitives.WriteUInt16LittleEndian(to[40..], Volume);
        PayloadTag.Write(to[44..]);
        BinaryPrimitives.WriteUInt64LittleEndian(to[TagAt..], SipHash.Compute(key, to[..TagAt], frameNumber));
    }

    /// <summary>Reads and checks a header; the error names what is wrong.</summary>
    public static bool TryDecode(
        ReadOnlySpan<byte> from, in SipKey key, ulong frameNumber, SessionId session, out PeerFrame frame,
        out string error)
    {
        frame = default;
        error = Check(from, key, frameNumber, session);
        if (error.Length > 0)
        {
            return false;
        }

        frame = new PeerFrame
        {
            Type = (PeerFrameType)from[5],
            Flags = (PeerFrameFlags)BinaryPrimitives.ReadUInt16LittleEndian(from[6..]),
            Session = new SessionId(BinaryPrimitives.ReadUInt64LittleEndian(from[8..])),
            Sequence = BinaryPrimitives.ReadInt64LittleEndian(from[16..]),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(from[24..]),
            RangeBytes = BinaryPrimitives.ReadUInt32LittleEndian(from[32..]),
            PayloadBytes = BinaryPrimitives.ReadUInt32LittleEndian(from[36..]),
            Volume = BinaryPrimitives.ReadUInt16LittleEndian(from[40..]),
            PayloadTag = PayloadTag.Read(from[44..]),
        };
        error = frame.CheckFields();
        return error.Length == 0;
    }

    private static string Check(ReadOnlySpan<byte> from, in SipKey key, ulong frameNumber, SessionId session)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic)
        {
            return "not a frame of this protocol (magic)";
        }

        if (from[4] != Version)
        {
            return $"framing version {from[4]}, known is {Version}";
        }

        ulong tag = SipHash.Compute(key, from[..TagAt], frameNumber);
        if (BinaryPrimitives.ReadUInt64LittleEndian(from[TagAt..]) != tag)
        {
            return "header tag does not fit: damaged, forged, replayed or lost frame";
        }

        if (BinaryPrimitives.ReadUInt64LittleEndian(from[8..]) != session.Value)
        {
            return "frame of another session";
        }

        if (from[42] != 0 || from[43] != 0)
        {
            return "reserved bytes are not zero";
        }

        return from[5] is >= (byte)PeerFrameType.Write and <= (byte)PeerFrameType.HashAnswer
            ? "" : $"unknown frame type {from[5]}";
    }

    private string CheckFields() => Type switch
    {
        PeerFrameType.Write => CheckData(PeerFrameFlags.ForceUnitAccess),
        PeerFrameType.Copy or PeerFrameType.ReadData => CheckData(PeerFrameFlags.None),
        PeerFrameType.Read or PeerFrameType.CopyZero or PeerFrameType.HashQuestion =>
            PayloadBytes != 0 || RangeBytes is 0 or > MaxDataBytes ? $"{Type} of {RangeBytes} bytes"
            : HasTag ? Unused
            : CheckFlags(PeerFrameFlags.None),
        PeerFrameType.Zero =>
            PayloadBytes != 0 || RangeBytes is 0 or > MaxZeroBytes ? $"zero of {RangeBytes} bytes"
            : HasTag ? Unused
            : CheckFlags(PeerFrameFlags.ForceUnitAccess | PeerFrameFlags.MayUnmap),
        PeerFrameType.Message =>
            PayloadBytes is 0 or > MaxMessageBytes
                ? $"message of {PayloadBytes} bytes"
            : Sequence != 0 || NamesRange ? Unused
            : CheckFlags(PeerFrameFlags.None),
        PeerFrameType.Acknowledge =>
            PayloadBytes != 0 ? $"{Type} with payload"
            : HasTag || RangeBytes != 0 || Volume != 0 ? Unused
            : Offset is < 0 or > MaxAppliedNs ? $"{Type} after {Offset} ns"
            : CheckFlags(PeerFrameFlags.None),
        PeerFrameType.Flush or PeerFrameType.Durable or PeerFrameType.Received
            or PeerFrameType.ReadFailed =>
            PayloadBytes != 0 ? $"{Type} with payload"
            : HasTag || NamesRange ? Unused
            : CheckFlags(PeerFrameFlags.None),
        PeerFrameType.HashAnswer =>
            PayloadBytes is not (0 or RangeHash.Bytes) ? $"{Type} with payload {PayloadBytes}"
            : NamesRange || (PayloadBytes == 0 && HasTag) ? Unused
            : CheckFlags(PeerFrameFlags.None),
        PeerFrameType.Ping =>
            PayloadBytes != 0 ? $"{Type} with payload"
            : HasTag || Sequence != 0 || NamesRange ? Unused
            : CheckFlags(PeerFrameFlags.None),
    };

    private const string Unused = "a field that this frame does not use is not zero";

    private bool HasTag => PayloadTag != default;

    private bool NamesRange => Offset != 0 || RangeBytes != 0 || Volume != 0;

    private string CheckData(PeerFrameFlags known) =>
        PayloadBytes is 0 or > MaxDataBytes || PayloadBytes != RangeBytes
            ? $"{Type} with payload {PayloadBytes} and range {RangeBytes}" : CheckFlags(known);

    private string CheckFlags(PeerFrameFlags known) =>
        (Flags & ~known) != 0 ? $"{Type} with flags {(ushort)Flags:x4}" : "";
}
