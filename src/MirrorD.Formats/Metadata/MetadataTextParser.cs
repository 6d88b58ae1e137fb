using System.Globalization;

namespace MirrorD.Formats.Metadata;

/// <summary>
/// Reads a dump (<see cref="MetadataText.WriteDump"/>) back. Strict: every key once and known.
/// </summary>
public sealed class MetadataTextParser
{
    private readonly Dictionary<string, (string Value, int Line)> _values = [];
    private readonly List<(long First, long Count, int Line)> _runs = [];
    private int _line;

    private MetadataTextParser()
    {
    }

    /// <summary>Parses a whole dump.</summary>
    /// <param name="reader">The text.</param>
    /// <exception cref="FormatException">What is wrong, with its line.</exception>
    public static MetadataImage Parse(TextReader reader)
    {
        var parser = new MetadataTextParser();
        parser.ReadLines(reader);
        return parser.Build();
    }

    private void ReadLines(TextReader reader)
    {
        bool ended = false;
        while (reader.ReadLine() is { } line)
        {
            _line++;
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            if (line.Length == 0 || colon < 0 || ended)
            {
                throw Wrong(ended ? "text after the end of the dump" : "not a 'key: value' line");
            }

            string key = line[..colon];
            string value = line[(colon + 2)..];
            if (key == "dirty")
            {
                string[] parts = value.Split('+');
                _runs.Add(parts.Length == 2
                    ? (Number(parts[0]), Number(parts[1]), _line)
                    : throw Wrong("dirty blocks are written as first+count"));
            }
            else if (line == MetadataText.LastLine)
            {
                ended = true;
            }
            else if (!_values.TryAdd(key, (value, _line)))
            {
                throw Wrong($"{key} stands there twice");
            }
        }

        if (!ended)
        {
            throw Wrong("the dump is not complete: its last line is missing");
        }
    }

    private MetadataImage Build()
    {
        string version = Take("mirrord-metadata");
        if (version != MetadataText.Version.ToString(CultureInfo.InvariantCulture))
        {
            throw Wrong($"a dump of version {version}; this program reads version {MetadataText.Version}");
        }

        string flags = Take("flags");
        if (Items(flags).FirstOrDefault(flag => !MetadataText.IsFlag(flag)) is { } unknown)
        {
            throw Wrong($"flags: {unknown} is not known");
        }

        Superblock superblock = ReadSuperblock(flags);
        if (SuperblockCodec.FirstFieldOutOfRange(superblock) is { } field)
        {
            throw Wrong($"{field} is out of range");
        }

        MetadataImage image = ReadMap(superblock);
        return _values.Count == 0 ? image : throw Wrong($"unknown key {_values.Keys.First()}");
    }

    private Superblock ReadSuperblock(string flags) => new()
    {
        Sequence = Unsigned(Take("sequence")),
        ResourceName = Unescape(Take("resource-name")),
        ResourceId = Identifier("resource-id"),
        VolumeName = Unescape(Take("volume-name")),
        VolumeIndex = (int)Number(Take("volume-index"), int.MaxValue),
        Node = new(Identifier("node")),
        Peer = new(Identifier("peer")),
        PeerBoot = new(Identifier("peer-boot")),
        DataBytes = Number(Take("data-bytes")),
        BlockBytes = (int)Number(Take("block-bytes"), int.MaxValue),
        ExtentBytes = (int)Number(Take("extent-bytes"), int.MaxValue),
        DiskState = Named<DiskState>("disk-state"),
        PeerDiskState = Named<DiskState>("peer-disk-state"),
        Current = new(Hexadecimal(Take("current"))),
        Bitmap = new(Hexadecimal(Take("bitmap"))),
        History = [.. Items(Take("history")).Select(item => new Generation(Hexadecimal(item)))],
        Session = new(Hexadecimal(Take("session"))),
        Promotions = Unsigned(Take("promotions")),
        PeerSequence = Unsigned(Take("peer-sequence")),
        Proof = new(Named<ProofKind>("proof"), new(Hexadecimal(Take("proof-session")))),
        ResyncFrom = new(Hexadecimal(Take("resync-from"))),
        CreationSource = Named<CreationSource>("creation-source"),
        PeerExcluded = Items(flags).Contains("peer-excluded"),
        PeerMayHaveCurrent = Items(flags).Contains("peer-may-have-current"),
        WasPrimary = Items(flags).Contains("was-primary"),
        FullSyncNeeded = Items(flags).Contains("full-sync-needed"),
        JustCreated = Items(flags).Contains("just-created"),
        WasAhead = Items(flags).Contains("was-ahead"),
        Disconnected = Items(flags).Contains("disconnected"),
    };

    private MetadataImage ReadMap(Superblock superblock)
    {
        ulong logSequence = Unsigned(Take("log-sequence"));
        uint[] extents = [.. Items(Take("active-extents")).Select(item => (uint)Number(item, uint.MaxValue))];
        for (int i = 0; i < extents.Length; i++)
        {
            if (extents.Length > ActivityLogCodec.MaximumExtents || (i > 0 && extents[i] <= extents[i - 1]))
            {
                throw Wrong($"active-extents are ascending, at most {ActivityLogCodec.MaximumExtents}");
            }
        }

        if (logSequence == 0)
        {
            throw Wrong("log-sequence begins at 1");
        }

        var image = new MetadataImage(superblock, logSequence, extents);
        foreach ((long first, long count, int line) in _runs)
        {
            if (count <= 0 || first >= image.BlockCount || count > image.BlockCount - first)
            {
                throw new FormatException($"line {line}: {first}+{count} does not lie inside the volume");
            }

            image.Mark(first, count);
        }

        string stated = Take("dirty-blocks");
        return stated == $"{image.DirtyBlocks} of {image.BlockCount}"
            ? image
            : throw Wrong($"the dirty blocks add up to {image.DirtyBlocks} of {image.BlockCount}, "
                + $"not {stated}");
    }

    /// <summary>
    /// Each key is taken once; what is wrong with its value is then reported with its line.
    /// </summary>
    private string Take(string key)
    {
        if (!_values.Remove(key, out (string Value, int Line) found))
        {
            throw Wrong($"{key} is missing");
        }

        _line = found.Line;
        return found.Value;
    }

    private static string[] Items(string value) => value == "none" ? [] : value.Split(' ');

    private long Number(string text, long maximum = long.MaxValue) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            && value <= maximum
            ? value
            : throw Wrong($"{text} is not a number that can stand there");

    private ulong Unsigned(string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : throw Wrong($"{text} is not a number that can stand there");

    private ulong Hexadecimal(string text) =>
        text.Length == 16
        && ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong value)
            ? value
            : throw Wrong($"{text} is not an identifier of 16 hexadecimal digits");

    private Guid Identifier(string key) =>
        Guid.TryParseExact(Take(key), "D", out Guid value) ? value : throw Wrong($"{key} is not a UUID");

    private T Named<T>(string key)
        where T : struct, Enum
    {
        string text = Take(key);
        return Enum.IsDefined(typeof(T), text) ? Enum.Parse<T>(text)
            : throw Wrong($"{key}: {text} is not known");
    }

    private string Unescape(string text)
    {
        var name = new System.Text.StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                name.Append(text[i]);
                continue;
            }

            if (i + 6 > text.Length || text[i + 1] != 'u' || !ushort.TryParse(
                text.AsSpan(i + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture,
                out ushort code))
            {
                throw Wrong($"{text} is not a name");
            }

            name.Append((char)code);
            i += 5;
        }

        return name.ToString();
    }

    private FormatException Wrong(string what) => new($"line {_line}: {what}");
}
