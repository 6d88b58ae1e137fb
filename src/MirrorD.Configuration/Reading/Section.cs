using System.Globalization;
using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>
/// A mapping of the file whose keys are known: reports unknown ones, and reads the others with type and
/// range. Every reader returns null (or the default) after it reported a mistake, so that reading goes on to
/// the next one.
/// </summary>
internal sealed class Section
{
    private readonly YamlMapping _node;

    public Section(YamlMapping node, string path, ConfigurationErrors errors, params string[] keys)
    {
        _node = node;
        Path = path;
        Errors = errors;
        foreach (YamlEntry entry in node.Entries.Where(entry => !keys.Contains(entry.Key)))
        {
            errors.Add(entry.Place, $"unknown key '{entry.Key}' in {Name}",
                NearestKey.Advice(entry.Key, keys, "valid keys"));
        }
    }

    /// <summary>Keys that lead here, with dots; empty for the root.</summary>
    public string Path { get; }

    public ConfigurationErrors Errors { get; }

    public SourcePlace Place => _node.Place;

    private string Name => Path.Length == 0 ? "the configuration" : Path;

    public string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>Where a key stands; where the section begins when it is absent.</summary>
    public SourcePlace PlaceOf(string key) => _node.Find(key)?.Place ?? _node.Place;

    public bool Has(string key) => _node.Find(key) is { Value.IsEmpty: false };

    public void Missing(string key, string example) =>
        Errors.Add(PlaceOf(key), $"{Name} has no '{key}'", $"add e.g. '{key}: {example}'");

    /// <summary>The value as text; null when absent or, after a report, when it is none.</summary>
    public string? Text(string key, string example)
    {
        switch (_node.Find(key)?.Value)
        {
            case null:
                return null;
            case YamlScalar { IsEmpty: false, Value.Length: > 0 } scalar:
                return scalar.Value;
            case { } other:
                WrongKind(key, other, "a single value", example);
                return null;
        }
    }

    public string? RequiredText(string key, string example)
    {
        if (_node.Find(key) is null)
        {
            Missing(key, example);
            return null;
        }

        return Text(key, example);
    }

    /// <summary>An absolute path, without doubled or trailing slashes.</summary>
    public string? AbsolutePath(string key, string example)
    {
        if (Text(key, example) is not { } text)
        {
            return null;
        }

        if (!text.StartsWith('/') || text.Contains('\0'))
        {
            Bad(key, $"'{text}' is not an absolute path", $"write one such as {example}");
            return null;
        }

        string full = System.IO.Path.GetFullPath(text);
        return full.Length > 1 ? full.TrimEnd('/') : full;
    }

    public int? Port(string key, string example, string protocol = "TCP")
    {
        if (Text(key, example) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port is > 0 and < 65536)
        {
            return port;
        }

        Bad(key, $"'{text}' is not a {protocol} port", "write a number from 1 to 65535");
        return null;
    }

    /// <summary>A duration in milliseconds.</summary>
    public long DurationMs(string key, long defaultMs, long leastMs, long mostMs, string range)
    {
        if (Text(key, "5s") is not { } text)
        {
            return defaultMs;
        }

        if (Quantities.Duration(text) is not { } milliseconds)
        {
            Bad(key, $"'{text}' is not a duration", "write a number with its unit (ms, s, m, h), e.g. 5s");
            return defaultMs;
        }

        if (milliseconds < leastMs || milliseconds > mostMs)
        {
            Bad(key, $"{text} is out of range", $"write {range}");
            return defaultMs;
        }

        return milliseconds;
    }

    /// <summary>A whole number.</summary>
    public int Number(string key, int defaultValue, int least, int most)
    {
        if (Text(key, defaultValue.ToString(CultureInfo.InvariantCulture)) is not { } text)
        {
            return defaultValue;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= least && number <= most)
        {
            return number;
        }

        Bad(key, $"'{text}' is not a number from {least} to {most}", $"write e.g. {defaultValue}");
        return defaultValue;
    }

    /// <summary>One of some words.</summary>
    /// <param name="key">The key.</param>
    /// <param name="defaultValue">Value when the key is absent or, after a report, wrong.</param>
    /// <param name="what">What the words are, for the message: "policy".</param>
    /// <param name="remedy">What to write.</param>
    /// <param name="words">Each word with its value.</param>
    public T Choice<T>(
        string key, T defaultValue, string what, string remedy, params (string Word, T Value)[] words)
    {
        if (Text(key, words[0].Word) is not { } text)
        {
            return defaultValue;
        }

        foreach ((string word, T value) in words)
        {
            if (word == text)
            {
                return value;
            }
        }

        Bad(key, $"'{text}' is not a {what}", remedy);
        return defaultValue;
    }

    /// <summary>A command or a list of commands, each a line for /bin/sh.</summary>
    public IReadOnlyList<string> Commands(string key, string example)
    {
        var commands = new List<string>();
        foreach (YamlNode item in OneOrMore(key))
        {
            if (item is YamlScalar { IsEmpty: false, Value.Length: > 0 } scalar)
            {
                commands.Add(scalar.Value);
            }
            else
            {
                Errors.Add(
                    item.Place, $"{PathOf(key)}: {item.Kind} stands here where a command is expected",
                    $"write e.g. '{key}: {example}'");
            }
        }

        return commands;
    }

    /// <summary>
    /// The section below a key; null when absent or, after a report, when it is no mapping.
    /// </summary>
    public YamlMapping? Mapping(string key, string example) => AsMapping(_node.Find(key), key, example);

    /// <summary>
    /// The named mappings below a key, e.g. the nodes; an entry without value counts as an empty mapping.
    /// </summary>
    public IEnumerable<(YamlEntry Entry, YamlMapping Value)> Named(string key, string example)
    {
        foreach (YamlEntry entry in Mapping(key, example)?.Entries ?? [])
        {
            if (entry.Value.IsEmpty)
            {
                yield return (entry, new YamlMapping(entry.Place));
            }
            else if (entry.Value is YamlMapping mapping)
            {
                yield return (entry, mapping);
            }
            else
            {
                Errors.Add(entry.Place,
                    $"{PathOf(key)}.{entry.Key}: {entry.Value.Kind} stands here where a mapping is expected",
                    $"write e.g. '{entry.Key}: {example}'");
            }
        }
    }

    /// <summary>A list, or one value that stands for a list of one.</summary>
    public IReadOnlyList<YamlNode> OneOrMore(string key)
    {
        return _node.Find(key)?.Value switch
        {
            null or { IsEmpty: true } => [],
            YamlList list => list.Items,
            { } single => [single],
        };
    }

    /// <summary>Reports a bad value of a key.</summary>
    public void Bad(string key, string problem, string remedy) =>
        Errors.Add(_node.Find(key)?.Value.Place ?? Place, $"{PathOf(key)}: {problem}", remedy);

    private YamlMapping? AsMapping(YamlEntry? entry, string key, string example)
    {
        switch (entry?.Value)
        {
            case null:
                return null;
            case YamlMapping mapping:
                return mapping;
            case { } other:
                WrongKind(key, other, "a mapping", example);
                return null;
        }
    }

    private void WrongKind(string key, YamlNode found, string expected, string example) =>
        Errors.Add(found.Place, $"{PathOf(key)}: {found.Kind} stands here where {expected} is expected",
            $"write e.g. '{key}: {example}'");
}
