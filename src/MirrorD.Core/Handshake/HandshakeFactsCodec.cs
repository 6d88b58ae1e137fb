using System.Buffers.Binary;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Handshake;

/// <summary>
/// Facts on the wire, little-endian, identifiers in the order in which they are written down:
/// <code>
///  0  2  version, 3
///  2  2  flags: 1 is primary, 2 was primary, 4 has proof, 8 just created, 16 full sync needed,
///        32 volumes disagree, 64 mode sync, 128 mode memory (neither: async), 256 was ahead, 512 gives way,
///        1024 policy discard-unchanged, 2048 policy discard-standby (neither: manual), 4096 is spared
///  4  1  disk state
///  5  1  creation source
///  6  1  entries of the history, at most 32
///  7  1  volumes, 1 to 64
///  8 16  node
/// 24 16  boot id
/// 40 16  boot id of the other side when last connected
/// 56  8  current generation
/// 64  8  bitmap generation
/// 72  8  session
/// 80  8  promotions
/// 88  8  blocks of the sync set
/// 96     history, 8 bytes each
///        volumes, 40 bytes each: data bytes, sequence, highest sequence seen of the other side, bytes that there is room
///        for, wanted bytes (0: none)
/// </code>
/// </summary>
public static class HandshakeFactsCodec
{
    /// <summary>Most volumes of a resource.</summary>
    public const int MaximumVolumes = 64;

    /// <summary>Longest encoding.</summary>
    public const int MaximumBytes =
        FixedBytes + SuperblockCodec.MaximumHistory * sizeof(ulong) + MaximumVolumes * VolumeBytes;

    private const ushort Version = 3;
    private const int ModeFlags = SyncFlag | MemoryFlag;
    private const int SyncFlag = 64;
    private const int MemoryFlag = 128;
    private const int PolicyFlags = DiscardUnchangedFlag | DiscardStandbyFlag;
    private const int DiscardUnchangedFlag = 1024;
    private const int DiscardStandbyFlag = 2048;
    private const int FixedBytes = 96;
    private const int VolumeBytes = 40;

    /// <summary>Encodes.</summary>
    /// <param name="facts">At most 32 entries of history and <see cref="MaximumVolumes"/> volumes.</param>
    /// <param name="into">At least <see cref="MaximumBytes"/> bytes.</param>
    /// <returns>Bytes written.</returns>
    public static int Encode(HandshakeFacts facts, Span<byte> into)
    {
        Invariant.Require(facts.History.Count <= SuperblockCodec.MaximumHistory, "the history is bounded");
        Invariant.Require(facts.Volumes.Count is > 0 and <= MaximumVolumes,
            "the number of volumes is bounded");
        BinaryPrimitives.WriteUInt16LittleEndian(into, Version);
        BinaryPrimitives.WriteUInt16LittleEndian(into[2..], FlagsOf(facts));
        into[4] = (byte)facts.DiskState;
        into[5] = (byte)facts.CreationSource;
        into[6] = (byte)facts.History.Count;
        into[7] = (byte)facts.Volumes.Count;
        facts.Node.Value.TryWriteBytes(into[8..], bigEndian: true, out _);
        facts.Boot.Value.TryWriteBytes(into[24..], bigEndian: true, out _);
        facts.PeerBoot.Value.TryWriteBytes(into[40..], bigEndian: true, out _);
        int at = 56;
        Put(into, ref at, facts.Current.Value);
        Put(into, ref at, facts.Bitmap.Value);
        Put(into, ref at, facts.Session.Value);
        Put(into, ref at, facts.Promotions);
        Put(into, ref at, (ulong)facts.SyncSetBlocks);
        foreach (Generation generation in facts.History)
        {
            Put(into, ref at, generation.Value);
        }

        foreach (VolumeFacts volume in facts.Volumes)
        {
            Put(into, ref at, (ulong)volume.DataBytes);
            Put(into, ref at, volume.Sequence);
            Put(into, ref at, volume.PeerSequence);
            Put(into, ref at, (ulong)volume.RoomBytes);
            Put(into, ref at, (ulong)volume.WantedBytes);
        }

        return at;
    }

    /// <summary>Decodes; everything is checked before it is used.</summary>
    /// <param name="bytes">Exactly one encoding.</param>
    /// <param name="facts">On success the facts.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? TryDecode(ReadOnlySpan<byte> bytes, out HandshakeFacts? facts)
    {
        facts = null;
        if (bytes.Length < FixedBytes)
        {
            return $"{bytes.Length} bytes are too few for handshake facts";
        }

        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        if (version != Version)
        {
            return $"handshake facts of version {version}; this side knows version {Version}";
        }

        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        var diskState = (DiskState)bytes[4];
        var creationSource = (CreationSource)bytes[5];
        int history = bytes[6];
        int volumes = bytes[7];
        if (flags >= 8192 || (flags & ModeFlags) == ModeFlags || (flags & PolicyFlags) == PolicyFlags
            || diskState is < DiskState.Diskless or > DiskState.UpToDate || creationSource > CreationSource.Empty)
        {
            return "handshake facts with a flag, disk state or creation source out of range";
        }

        if (history > SuperblockCodec.MaximumHistory || volumes is 0 or > MaximumVolumes
            || bytes.Length != FixedBytes + history * sizeof(ulong) + volumes * VolumeBytes)
        {
            return $"handshake facts of {bytes.Length} bytes with {history} generations "
                + $"and {volumes} volumes";
        }

        HandshakeFacts read = Read(bytes, flags, history, volumes);
        if (read.SyncSetBlocks < 0 || read.History.Contains(Generation.None)
            || read.Volumes.Any(v => v.DataBytes <= 0 || IsNoSize(v.DataBytes) || IsNoSize(v.RoomBytes) || IsNoSize(v.WantedBytes)))
        {
            return "handshake facts with a sync set, history or size out of range";
        }

        facts = read;
        return null;
    }

    private static HandshakeFacts Read(ReadOnlySpan<byte> bytes, ushort flags, int history, int volumes)
    {
        int at = 56;
        var facts = new HandshakeFacts
        {
            DiskState = (DiskState)bytes[4],
            CreationSource = (CreationSource)bytes[5],
            IsPrimary = (flags & 1) != 0,
            WasPrimary = (flags & 2) != 0,
            HasProof = (flags & 4) != 0,
            JustCreated = (flags & 8) != 0,
            FullSyncNeeded = (flags & 16) != 0,
            VolumesDisagree = (flags & 32) != 0,
            Mode = (flags & ModeFlags) switch
            {
                SyncFlag => ReplicationMode.Sync,
                MemoryFlag => ReplicationMode.Memory,
                _ => ReplicationMode.Async,
            },
            WasAhead = (flags & 256) != 0,
            GivesWay = (flags & 512) != 0,
            IsSpared = (flags & 4096) != 0,
            SplitBrainPolicy = (flags & PolicyFlags) switch
            {
                DiscardUnchangedFlag => SplitBrainPolicy.DiscardUnchanged,
                DiscardStandbyFlag => SplitBrainPolicy.DiscardStandby,
                _ => SplitBrainPolicy.Manual,
            },
            Node = new(new Guid(bytes.Slice(8, 16), bigEndian: true)),
            Boot = new(new Guid(bytes.Slice(24, 16), bigEndian: true)),
            PeerBoot = new(new Guid(bytes.Slice(40, 16), bigEndian: true)),
            Current = new(Take(bytes, ref at)),
            Bitmap = new(Take(bytes, ref at)),
            Session = new(Take(bytes, ref at)),
            Promotions = Take(bytes, ref at),
            SyncSetBlocks = (long)Take(bytes, ref at),
            Volumes = [],
        };
        var generations = new Generation[history];
        for (int i = 0; i < history; i++)
        {
            generations[i] = new(Take(bytes, ref at));
        }

        var sizes = new VolumeFacts[volumes];
        for (int i = 0; i < volumes; i++)
        {
            sizes[i] = new((long)Take(bytes, ref at), Take(bytes, ref at), Take(bytes, ref at))
            {
                RoomBytes = (long)Take(bytes, ref at),
                WantedBytes = (long)Take(bytes, ref at),
            };
        }

        return facts with { History = generations, Volumes = sizes };
    }

    private static bool IsNoSize(long bytes) => bytes is < 0 or > MetadataLayout.MaximumDataBytes;

    private static ushort FlagsOf(HandshakeFacts facts) => (ushort)(
        (facts.IsPrimary ? 1 : 0) | (facts.WasPrimary ? 2 : 0) | (facts.HasProof ? 4 : 0)
        | (facts.JustCreated ? 8 : 0) | (facts.FullSyncNeeded ? 16 : 0) | (facts.VolumesDisagree ? 32 : 0)
        | FlagOf(facts.Mode) | (facts.WasAhead ? 256 : 0) | (facts.GivesWay ? 512 : 0)
        | FlagOf(facts.SplitBrainPolicy) | (facts.IsSpared ? 4096 : 0));

    private static int FlagOf(SplitBrainPolicy policy) => policy switch
    {
        SplitBrainPolicy.Manual => 0,
        SplitBrainPolicy.DiscardUnchanged => DiscardUnchangedFlag,
        SplitBrainPolicy.DiscardStandby => DiscardStandbyFlag,
    };

    private static int FlagOf(ReplicationMode mode) => mode switch
    {
        ReplicationMode.Sync => SyncFlag,
        ReplicationMode.Memory => MemoryFlag,
        ReplicationMode.Async => 0,
    };

    private static void Put(Span<byte> into, ref int at, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(into[at..], value);
        at += sizeof(ulong);
    }

    private static ulong Take(ReadOnlySpan<byte> from, ref int at)
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(from[at..]);
        at += sizeof(ulong);
        return value;
    }
}
