namespace MirrorD.Fuzz.Planted;

/// <summary>Bugs in what clients, peers and other nodes send.</summary>
public static partial class PlantedBugs
{
    private const string Session = "src/MirrorD.Engine/Nbd/NbdSession";
    private const string RequestCheck = "src/MirrorD.Engine/Nbd/RequestCheck.cs";
    private const string Hello = "src/MirrorD.Formats/Peer/PeerHello.cs";
    private const string Frame = "src/MirrorD.Formats/Peer/PeerFrame.cs";
    private const string Receiving = "src/MirrorD.Engine/Replication/PeerConnection.Receiving.cs";
    private const string FieldReader = "src/MirrorD.Formats/FieldReader.cs";
    private const string Facts = "src/MirrorD.Core/Handshake/HandshakeFactsCodec.cs";

    private static PlantedBug[] Nbd =>
    [
        new("nbd-handshake", $"{Session}.Information.cs",
            "length > data.Length - 4", "length > data.Length", "off by the length field: a name may reach past the option"),
        new("nbd-handshake", $"{Session}.Information.cs",
            "|| data.Length != 2 + (2 * BinaryPrimitives.ReadUInt16BigEndian(data)))", ")",
                "count of informations not checked"),
        new("nbd-handshake", $"{Session}.Handshake.cs",
            "if (header.LengthBytes > SessionLimits.OptionBytes)", "if ((int)header.LengthBytes > SessionLimits.OptionBytes)",
            "length compared as signed: a huge one is negative"),
        new("nbd-requests", RequestCheck,
            "if (request.Offset > ExportBytes || request.LengthBytes > ExportBytes - request.Offset)",
            "if (request.Offset + request.LengthBytes > ExportBytes)", "end of a range overflows"),
        new("nbd-requests", RequestCheck,
            "if (request.Offset % BlockBytes != 0 || request.LengthBytes % BlockBytes != 0)",
            "if (request.Offset % BlockBytes != 0)", "length need not be whole blocks"),
        new("nbd-requests", RequestCheck,
            "(!AllocationContext || request.LengthBytes == 0)", "!AllocationContext", "block status of nothing"),
    ];

    private static PlantedBug[] Peer =>
    [
        new("peer-hello", Hello,
            "ReadUInt32LittleEndian(from[120..]) > EncryptsFlag", "ReadUInt16LittleEndian(from[120..]) > EncryptsFlag",
            "half of the flags not checked"),
        new("peer-hello", Hello,
            "end < 0 ? name : name[..end]", "name[..end]", "a name without a zero behind it"),
        new("peer-hello", "src/MirrorD.Engine/Link/LinkAuthentication.cs",
            "FixedTimeEquals(_in.Span.Slice(PeerProofAt, LinkKeys.KeyBytes), right)",
            "FixedTimeEquals(_in.Span.Slice(PeerProofAt, 16), right.AsSpan(0, 16))",
            "half of the proof is enough"),
        new("peer-frame", Frame,
            "from[42] != 0 || from[43] != 0", "from[42] != 0", "a reserved byte not checked"),
        new("peer-frame", Frame,
            "PayloadBytes != 0 || RangeBytes is 0 or > MaxDataBytes ?", "PayloadBytes != 0 || RangeBytes > MaxDataBytes ?",
            "a read of nothing"),
        new("peer-frame", Frame,
            "and <= (byte)PeerFrameType.HashAnswer", "and <= (byte)PeerFrameType.HashAnswer + 1", "one type too many"),
        new("peer-link", Receiving,
            """
                    _user.ReturnIncoming(incoming);
                    return Done(NotAuthentic);
            """,
            """
                    return Done(NotAuthentic);
            """, "a slot lost with each wrong tag"),
        new("peer-link", Receiving,
            """
                    if (error is not null)
                    {
                        _user.ReturnIncoming(incoming);
                    }

            """, "", "a slot lost with each refused mutation"),
        new("peer-link", Receiving,
            "int here = Math.Min(length, _stagingEnd - _stagingStart);", "int here = _stagingEnd - _stagingStart;",
            "what follows a payload is taken for a part of it"),
        new("peer-message", FieldReader,
            "int count = Byte(0, SuperblockCodec.MaximumHistory);", "int count = Byte();", "length of a history not checked"),
        new("peer-message", FieldReader,
            "public readonly bool IsAtEndAndValid => !_isInvalid && _rest.IsEmpty;",
            "public readonly bool IsAtEndAndValid => !_isInvalid;", "bytes behind the last field are ignored"),
        new("peer-message", FieldReader,
            "_isInvalid |= value > int.MaxValue;", "_isInvalid |= value > uint.MaxValue;", "an index becomes negative"),
        new("handshake-facts", Facts, "flags >= 8192", "flags >= 16384", "an unknown flag is accepted"),
        new("handshake-facts", Facts,
            "|| bytes.Length != FixedBytes", "|| bytes.Length < FixedBytes", "bytes behind the last volume are ignored"),
        new("handshake-facts", Facts, "volumes is 0 or > MaximumVolumes", "volumes is > MaximumVolumes", "no volume at all"),
    ];

    private static PlantedBug[] Watch =>
    [
        new("watch-datagram", "src/MirrorD.Formats/Watch/WatchHeader.cs",
            "from[91..Bytes].ContainsAnyExcept((byte)0)", "from[92..Bytes].ContainsAnyExcept((byte)0)",
                "a reserved byte not checked"),
        new("watch-datagram", "src/MirrorD.Formats/Watch/HeartbeatEntry.cs",
            "if (body.Length % Bytes != 0 || body.Length > MaxEntries * Bytes)", "if (body.Length > MaxEntries * Bytes)",
            "half an entry at the end"),
        new("watch-datagram", "src/MirrorD.Formats/Watch/HeartbeatEntry.cs",
            "(body[10] & ~(ServingFlag | StuckFlag | ProductionFlag | DisconnectedFlag)) == 0", "body[10] < 32",
            "an unknown flag is accepted"),
    ];
}
