using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads the volumes of a resource, as they are on each node.</summary>
internal sealed class VolumeReader
{
    private const string Example = "{device: /dev/vg0/data}";
    private static readonly string[] s_keys = ["device", "file", "metadata"];

    private readonly ConfigurationErrors _errors;
    private readonly List<(string Name, Section Section)> _common = [];
    private readonly Dictionary<string, Dictionary<string, Section>> _byNode = [];
    private readonly List<(string Node, string Path, SourcePlace Place)> _places = [];

    public VolumeReader(
        ConfigurationErrors errors, Section resource, Dictionary<string, NodeOverrides> overrides)
    {
        _errors = errors;
        foreach ((YamlEntry entry, YamlMapping value) in resource.Named("volumes", Example))
        {
            Names.Check(entry, "volume", errors);
            _common.Add(
                (entry.Key, new Section(value, $"{resource.PathOf("volumes")}.{entry.Key}", errors, s_keys)));
        }

        if (_common.Count == 0
            && resource.Mapping("volumes", "{data: " + Example + "}") is null or { Entries.Count: 0 })
        {
            resource.Missing("volumes", "{data: " + Example + "}");
        }

        foreach ((string node, NodeOverrides own) in overrides)
        {
            _byNode[node] = own.Section is { } section ? ReadOverrides(section) : [];
        }
    }

    /// <summary>Where each path stands, for the check of overlaps.</summary>
    public IReadOnlyList<(string Node, string Path, SourcePlace Place)> Places => _places;

    public IReadOnlyList<VolumeConfiguration> ReadFor(string node)
    {
        var volumes = new List<VolumeConfiguration>();
        foreach ((string name, Section common) in _common)
        {
            Section? own = _byNode[node].GetValueOrDefault(name);
            Section backing = own is not null && (own.Has("device") || own.Has("file")) ? own : common;
            if (Backing(backing, node) is not { } found)
            {
                continue;
            }

            Section metadata = own is not null && own.Has("metadata") ? own : common;
            string? metadataPath = Metadata(metadata, node);
            volumes.Add(new VolumeConfiguration(name, found.Path, found.IsFile, metadataPath));
        }

        return volumes;
    }

    private (string Path, bool IsFile)? Backing(Section section, string node)
    {
        if (section.Has("device") && section.Has("file"))
        {
            // Said once, although both nodes read the common part.
            ReportOnce(section, "file", "both 'device' and 'file' are given", "keep one of the two");
            return null;
        }

        string key = section.Has("file") ? "file" : "device";
        if (!section.Has(key))
        {
            _errors.Add(section.Place, $"{section.Path} has no 'device' or 'file' on node {node}",
                "add e.g. 'device: /dev/vg0/data' here, or under " +
                $"nodes.{node}.{BelowNode(section.Path)}");
            return null;
        }

        string? path = ReadPath(
            section, key, key == "device" ? "/dev/vg0/data" : "/srv/mirrord/data.img", node);
        return path is null ? null : (path, key == "file");
    }

    private static string BelowNode(string path) =>
        path[path.IndexOf("resources.", StringComparison.Ordinal)..];

    private string? Metadata(Section section, string node)
    {
        if (!section.Has("metadata") || section.Text("metadata", "internal") == "internal")
        {
            return null;
        }

        return ReadPath(section, "metadata", "/dev/vg0/data-meta", node);
    }

    private string? ReadPath(Section section, string key, string example, string node)
    {
        int before = _errors.Count;
        SourcePlace place = section.PlaceOf(key);
        if (_read.TryGetValue((section, key), out string? known))
        {
            if (known is not null)
            {
                _places.Add((node, known, place));
            }

            return known;
        }

        string? path = section.AbsolutePath(key, example);
        _read[(section, key)] = path;
        if (path is not null)
        {
            _places.Add((node, path, place));
        }

        return before == _errors.Count ? path : null;
    }

    private readonly Dictionary<(Section, string), string?> _read = [];
    private readonly HashSet<(Section, string)> _reported = [];

    private void ReportOnce(Section section, string key, string problem, string remedy)
    {
        if (_reported.Add((section, key)))
        {
            section.Bad(key, problem, remedy);
        }
    }

    private Dictionary<string, Section> ReadOverrides(Section section)
    {
        var own = new Dictionary<string, Section>(StringComparer.Ordinal);
        foreach ((YamlEntry entry, YamlMapping value) in section.Named("volumes", Example))
        {
            if (_common.All(volume => volume.Name != entry.Key))
            {
                _errors.Add(
                    entry.Place, $"{section.PathOf("volumes")}: the resource has no volume '{entry.Key}'",
                    NearestKey.Advice(entry.Key, [.. _common.Select(volume => volume.Name)], "volumes"));
                continue;
            }

            own[entry.Key] = new Section(value, $"{section.PathOf("volumes")}.{entry.Key}", _errors, s_keys);
        }

        return own;
    }
}
