using System.Globalization;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// Metadata as text, one <c>key: value</c> a line, with the names of the layout page. The keys, their order
/// and their values are stable; a dump additionally holds the dirty map as <c>dirty: first+count</c> lines
/// and can be restored (<see cref="MetadataTextParser"/>).
/// </summary>
public static class MetadataText
{
    /// <summary>Version of the text form.</summary>
    public const int Version = 1;

    /// <summary>Last line of a dump: without it the dump was cut off.</summary>
    internal const string LastLine = "end: mirrord-metadata";

    private static readonly (string Name, Func<Superblock, bool> IsSet)[] Flags =
    [
        ("peer-excluded", s => s.PeerExcluded),
        ("peer-may-have-current", s => s.PeerMayHaveCurrent),
        ("was-primary", s => s.WasPrimary),
        ("full-sync-needed", s => s.FullSyncNeeded),
        ("just-created", s => s.JustCreated),
        ("was-ahead", s => s.WasAhead),
        ("disconnected", s => s.Disconnected),
    ];

    /// <summary>Writes what was found: damage, superblock, activity log and how much is dirty.</summary>
    public static void WriteReport(MetadataInspection inspection, TextWriter writer)
    {
        for (int slot = 0; slot < inspection.Slots.Count; slot++)
        {
            SuperblockReading reading = inspection.Slots[slot];
            writer.WriteLine(reading.Superblock is { } intact
                ? $"superblock-{slot}: intact sequence={intact.Sequence}"
                : $"superblock-{slot}: {Describe(reading)}");
        }

        if (inspection is not { Image: { } image, Log: { } log })
        {
            return;
        }

        string trust = log.IsTrusted ? "intact" : "not trusted, everything counts as dirty";
        writer.WriteLine($"activity-log: {trust} damaged-slots={log.DamagedSlots}");
        writer.WriteLine($"dirty-map: damaged-pages={Join(inspection.DamagedPages)}");
        WriteFields(image, writer);
    }

    /// <summary>Writes a dump that can be restored.</summary>
    public static void WriteDump(MetadataImage image, TextWriter writer)
    {
        writer.WriteLine($"mirrord-metadata: {Version}");
        WriteFields(image, writer);
        foreach ((long first, long count) in image.DirtyRuns())
        {
            writer.WriteLine($"dirty: {first}+{count}");
        }

        writer.WriteLine(LastLine);
    }

    internal static bool IsFlag(string name) => Flags.Any(flag => flag.Name == name);

    private static void WriteFields(MetadataImage image, TextWriter writer)
    {
        Superblock superblock = image.Superblock;
        foreach ((string key, string value) in Fields(superblock))
        {
            writer.WriteLine($"{key}: {value}");
        }

        writer.WriteLine($"log-sequence: {image.LogSequence}");
        writer.WriteLine($"active-extents: {Join(image.ActiveExtents)}");
        writer.WriteLine($"dirty-blocks: {image.DirtyBlocks} of {image.BlockCount}");
    }

    private static IEnumerable<(string Key, string Value)> Fields(Superblock superblock) =>
    [
        ("sequence", Number(superblock.Sequence)),
        ("resource-name", Escape(superblock.ResourceName)),
        ("resource-id", superblock.ResourceId.ToString()),
        ("volume-name", Escape(superblock.VolumeName)),
        ("volume-index", Number(superblock.VolumeIndex)),
        ("node", superblock.Node.ToString()),
        ("peer", superblock.Peer.ToString()),
        ("peer-boot", superblock.PeerBoot.ToString()),
        ("data-bytes", Number(superblock.DataBytes)),
        ("block-bytes", Number(superblock.BlockBytes)),
        ("extent-bytes", Number(superblock.ExtentBytes)),
        ("disk-state", superblock.DiskState.ToString()),
        ("peer-disk-state", superblock.PeerDiskState.ToString()),
        ("current", superblock.Current.ToString()),
        ("bitmap", superblock.Bitmap.ToString()),
        ("history", Join(superblock.History)),
        ("session", superblock.Session.ToString()),
        ("promotions", Number(superblock.Promotions)),
        ("peer-sequence", Number(superblock.PeerSequence)),
        ("proof", superblock.Proof.Kind.ToString()),
        ("proof-session", superblock.Proof.Session.ToString()),
        ("resync-from", superblock.ResyncFrom.ToString()),
        ("creation-source", superblock.CreationSource.ToString()),
        ("flags", Join(Flags.Where(flag => flag.IsSet(superblock)).Select(flag => flag.Name))),
    ];

    private static string Describe(SuperblockReading reading) => reading.Error switch
    {
        MetadataError.None => "intact",
        MetadataError.Empty => "empty",
        MetadataError.BadMagic => "no superblock",
        MetadataError.BadChecksum => "damaged (checksum)",
        MetadataError.UnsupportedVersion => "of a later version",
        MetadataError.ReservedNotZero => "intact, but reserved bytes are not zero",
        MetadataError.FieldOutOfRange => $"intact, but {reading.Field} is out of range",
        MetadataError.Misplaced => "intact, but of another place",
    };

    private static string Number<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static string Join<T>(IEnumerable<T> values) =>
        string.Join(' ', values) is { Length: > 0 } joined ? joined : "none";

    /// <summary>A name on one line: what would not print is written as \uXXXX.</summary>
    private static string Escape(string name) => string.Concat(name.Select(c =>
        char.IsControl(c) || char.IsWhiteSpace(c) || c == '\\' ? $"\\u{(int)c:x4}" : c.ToString()));
}
