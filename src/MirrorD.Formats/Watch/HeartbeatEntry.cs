using System.Buffers.Binary;

namespace MirrorD.Formats.Watch;

/// <summary>
/// What a heartbeat tells of one resource, 32 bytes, little endian; a heartbeat's body is up to
/// <see cref="MaxEntries"/> of them and nothing else.
/// <code>
///  0  u64  resource: first 8 bytes of SHA-256 of its name
///  8  u8   role
///  9  u8   state of the copy
/// 10  u8   flags
/// 11  5    reserved, zero
/// 16  u64  session
/// 24  u64  promotions
/// </code>
/// </summary>
public readonly record struct HeartbeatEntry
{
    /// <summary>Bytes of an entry.</summary>
    public const int Bytes = 32;

    /// <summary>Most entries of one heartbeat; a node with more resources tells of them in turn.</summary>
    public const int MaxEntries = 20;

    private const byte ServingFlag = 1;
    private const byte StuckFlag = 2;
    private const byte ProductionFlag = 4;
    private const byte DisconnectedFlag = 8;

    /// <summary>Which resource.</summary>
    public ResourceHash Resource { get; init; }

    /// <summary>Its role on the sender.</summary>
    public Role Role { get; init; }

    /// <summary>State of the sender's copy.</summary>
    public DiskState DiskState { get; init; }

    /// <summary>It is Primary and completes requests.</summary>
    public bool IsServing { get; init; }

    /// <summary>Its loop has not moved for dead-after.</summary>
    public bool IsStuck { get; init; }

    /// <summary>
    /// The sender's production gateway answered a moment ago; asked only while that network is lost.
    /// </summary>
    public bool HasProduction { get; init; }

    /// <summary>An operator has disconnected the sender: it does not take up the link.</summary>
    public bool IsDisconnected { get; init; }

    /// <summary>Session that the sender stores.</summary>
    public SessionId Session { get; init; }

    /// <summary>Its promotion counter.</summary>
    public ulong Promotions { get; init; }

    /// <summary>Writes the entry.</summary>
    public void Encode(Span<byte> to)
    {
        to[..Bytes].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(to, Resource.Value);
        to[8] = (byte)Role;
        to[9] = (byte)DiskState;
        to[10] = (byte)((IsServing ? ServingFlag : 0) | (IsStuck ? StuckFlag : 0)
            | (HasProduction ? ProductionFlag : 0) | (IsDisconnected ? DisconnectedFlag : 0));
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], Session.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], Promotions);
    }

    /// <summary>True when a heartbeat's body is well-formed: each entry can then be decoded.</summary>
    public static bool IsValidBody(ReadOnlySpan<byte> body)
    {
        if (body.Length % Bytes != 0 || body.Length > MaxEntries * Bytes)
        {
            return false;
        }

        for (; !body.IsEmpty; body = body[Bytes..])
        {
            bool isKnown = (Role)body[8] is Role.Standby or Role.Primary
                && (DiskState)body[9] is >= DiskState.Diskless and <= DiskState.UpToDate
                && (body[10] & ~(ServingFlag | StuckFlag | ProductionFlag | DisconnectedFlag)) == 0;
            if (!isKnown || body[11..16].ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads an entry of a valid body.</summary>
    public static HeartbeatEntry Decode(ReadOnlySpan<byte> from) => new()
    {
        Resource = new ResourceHash(BinaryPrimitives.ReadUInt64LittleEndian(from)),
        Role = (Role)from[8],
        DiskState = (DiskState)from[9],
        IsServing = (from[10] & ServingFlag) != 0,
        IsStuck = (from[10] & StuckFlag) != 0,
        HasProduction = (from[10] & ProductionFlag) != 0,
        IsDisconnected = (from[10] & DisconnectedFlag) != 0,
        Session = new SessionId(BinaryPrimitives.ReadUInt64LittleEndian(from[16..])),
        Promotions = BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
    };
}
