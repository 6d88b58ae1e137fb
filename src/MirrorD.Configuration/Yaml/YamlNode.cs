namespace MirrorD.Configuration.Yaml;

/// <summary>What stands somewhere in a configuration file, with its place.</summary>
internal abstract class YamlNode(SourcePlace place)
{
    public SourcePlace Place { get; } = place;

    /// <summary>For messages: "a mapping", "a list" …</summary>
    public abstract string Kind { get; }

    /// <summary>True for a value that was left out: nothing, '~' or 'null' without quotes.</summary>
    public virtual bool IsEmpty => false;
}

/// <summary>A single value; its type is decided by the setting that it belongs to.</summary>
internal sealed class YamlScalar(SourcePlace place, string value, bool isQuoted) : YamlNode(place)
{
    public string Value { get; } = value;

    public override bool IsEmpty { get; } = !isQuoted && value is "" or "~" or "null";

    public override string Kind => IsEmpty ? "nothing" : $"the value '{Value}'";
}

/// <summary>A list.</summary>
internal sealed class YamlList(SourcePlace place) : YamlNode(place)
{
    public List<YamlNode> Items { get; } = [];

    public override string Kind => "a list";
}

/// <summary>Named values, in the order of the file.</summary>
internal sealed class YamlMapping(SourcePlace place) : YamlNode(place)
{
    private readonly Dictionary<string, YamlEntry> _byKey = new(StringComparer.Ordinal);

    public List<YamlEntry> Entries { get; } = [];

    public override string Kind => "a mapping";

    /// <summary>Adds an entry unless its key is there already; then that entry is returned.</summary>
    public YamlEntry? Add(YamlEntry entry)
    {
        if (_byKey.TryGetValue(entry.Key, out YamlEntry? earlier))
        {
            return earlier;
        }

        _byKey.Add(entry.Key, entry);
        Entries.Add(entry);
        return null;
    }

    public YamlEntry? Find(string key) => _byKey.GetValueOrDefault(key);
}

/// <summary>A key with its value.</summary>
internal sealed record YamlEntry(string Key, SourcePlace Place, YamlNode Value);
