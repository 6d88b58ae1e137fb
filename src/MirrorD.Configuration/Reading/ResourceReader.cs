using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>A resource as read.</summary>
/// <param name="Configuration">Null after a mistake.</param>
/// <param name="Section">Its section, for places in messages.</param>
/// <param name="VolumePlaces">Where each backing path stands, by node.</param>
/// <param name="AddressPlaces">Where each service address stands.</param>
internal sealed record ReadResource(
    ResourceConfiguration? Configuration,
    Section Section,
    IReadOnlyList<(string Node, string Path, SourcePlace Place)> VolumePlaces,
    IReadOnlyList<(string Address, SourcePlace Place)> AddressPlaces);

/// <summary>Reads "resources".</summary>
internal sealed class ResourceReader(
    ConfigurationErrors errors, IReadOnlyDictionary<string, ReadNode> nodes, FailoverReader failover)
{
    private const string ResourceExample = "{between: [a, b], volumes: {data: {device: /dev/vg0/data}}}";

    private const string HookExample = "[systemctl start postgresql]";

    private static readonly string[] s_keys =
    [
        "between", "volumes", "addresses", "resync-rate", "resync-rate-min", "hooks", "hook-timeout", "port", NbdTcpReader.Key,
        .. ReplicationReader.Keys, .. FailoverReader.Keys,
    ];

    public IReadOnlyDictionary<string, ReadResource> Read(Section root)
    {
        var resources = new Dictionary<string, ReadResource>(StringComparer.Ordinal);
        foreach ((YamlEntry entry, YamlMapping value) in root.Named("resources", ResourceExample))
        {
            Names.Check(entry, "resource", errors);
            resources[entry.Key] = ReadOne(entry.Key, value);
        }

        foreach (ReadNode node in nodes.Values)
        {
            CheckOverrideNames(node, resources);
        }

        return resources;
    }

    private ReadResource ReadOne(string name, YamlMapping mapping)
    {
        int errorsBefore = errors.Count;
        var section = new Section(mapping, $"resources.{name}", errors, s_keys);
        IReadOnlyList<string> pair = Between(section);
        var overrides = pair.ToDictionary(
            node => node, node => new NodeOverrides(nodes[node].Section, name, errors));
        var volumes = new VolumeReader(errors, section, overrides);
        var addresses = new ServiceAddressReader(errors, section, overrides, nodes);
        ReplicationConfiguration replication = ReplicationReader.Read(section);
        long rate = ResyncRate(section, "resync-rate", "100MiB/s");
        long floor = ResyncRate(section, "resync-rate-min", "10MiB/s");
        if (floor > rate && rate > 0)
        {
            section.Bad("resync-rate-min", "it is above 'resync-rate'", "write a lower rate, or raise 'resync-rate'");
        }

        HooksConfiguration hooks = Hooks(section);
        int? port = section.Port("port", "7780");
        NbdTcpConfiguration? nbdTcp = NbdTcpReader.Read(section, errors);
        var on = new Dictionary<string, ResourceOnNode>(StringComparer.Ordinal);
        foreach (string node in pair)
        {
            var volumesHere = volumes.ReadFor(node);
            var addressesHere = addresses.ReadFor(node);
            if (nodes[node].Configuration is { } configured)
            {
                NetworkConfiguration link = configured.Dedicated[0];
                on[node] = new ResourceOnNode(
                    port is { } own ? link with { Port = own } : link, volumesHere, addressesHere);
            }
        }

        bool good = errors.Count == errorsBefore && on.Count == 2;
        if (good && on[pair[0]].Link.Address.AddressFamily != on[pair[1]].Link.Address.AddressFamily)
        {
            errors.Add(section.PlaceOf("between"),
                $"{section.Path}: the dedicated addresses of {pair[0]} and {pair[1]} are of different " +
                "families " +
                $"({Addresses.Family(on[pair[0]].Link.Address)} and " +
                $"{Addresses.Family(on[pair[1]].Link.Address)})",
                "give both nodes an address of the same family");
        }

        // Read in any case, so that its mistakes are told with all others.
        ResourceConfiguration configuration = failover.Read(section, new ResourceConfiguration
        {
            Name = name,
            Between = pair,
            On = on,
            Replication = replication,
            ResyncBytesPerSecond = rate,
            ResyncFloorBytesPerSecond = floor,
            Hooks = hooks,
            NbdTcp = nbdTcp,
        });
        good &= errors.Count == errorsBefore;
        return new ReadResource(good ? configuration : null, section, volumes.Places, addresses.Places);
    }

    private string[] Between(Section section)
    {
        string example = $"[{string.Join(", ", nodes.Keys.Concat(["a", "b"]).Take(2))}]";
        if (!section.Has("between"))
        {
            section.Missing("between", example);
            return [];
        }

        var named = new List<string>();
        IReadOnlyList<YamlNode> items = section.OneOrMore("between");
        foreach (YamlNode item in items)
        {
            if (item is not YamlScalar { IsEmpty: false } scalar)
            {
                errors.Add(
                    item.Place,
                    $"{section.PathOf("between")}: {item.Kind} stands here where a node name is expected",
                    $"write e.g. 'between: {example}'");
            }
            else if (!nodes.ContainsKey(scalar.Value))
            {
                errors.Add(item.Place, $"{section.PathOf("between")}: there is no node '{scalar.Value}'",
                    NearestKey.Advice(scalar.Value, [.. nodes.Keys], "nodes"));
            }
            else
            {
                named.Add(scalar.Value);
            }
        }

        bool isPair = named.Count == 2 && named[0] != named[1];
        if (!isPair && named.Count == items.Count)
        {
            section.Bad(
                "between", "a resource is between exactly two different nodes",
                $"write e.g. 'between: {example}'");
        }

        return isPair ? [.. named] : [];
    }

    private static long ResyncRate(Section section, string key, string example)
    {
        const long LeastBytesPerSecond = 128 * 1024;
        if (section.Text(key, example) is not { } text || text == "none")
        {
            return 0;
        }

        if (Quantities.Rate(text) is not { } rate)
        {
            section.Bad(
                key, $"'{text}' is not a rate", "write a size per second, e.g. 100MiB/s, or none");
            return 0;
        }

        if (rate < LeastBytesPerSecond)
        {
            section.Bad(
                key, $"{text} is out of range", "write at least 128KiB/s, or none for no limit");
            return 0;
        }

        return rate;
    }

    private HooksConfiguration Hooks(Section resource)
    {
        int timeoutMs = (int)resource.DurationMs("hook-timeout", 30_000, 1000, 3_600_000, "1s to 1h");
        if (resource.Mapping("hooks", "{post-acquire: [/usr/local/bin/started]}") is not { } mapping)
        {
            return new HooksConfiguration([], [], [], [], timeoutMs);
        }

        var section = new Section(mapping, resource.PathOf("hooks"), errors,
            "pre-acquire", "post-acquire", "pre-release", "post-release");
        return new HooksConfiguration(
            section.Commands("pre-acquire", HookExample), section.Commands("post-acquire", HookExample),
            section.Commands("pre-release", HookExample), section.Commands("post-release", HookExample),
            timeoutMs);
    }

    private void CheckOverrideNames(ReadNode node, Dictionary<string, ReadResource> resources)
    {
        foreach ((YamlEntry entry, _) in node.Section.Named(
            "resources", "{volumes: {data: {device: /dev/sdb1}}}"))
        {
            if (!resources.TryGetValue(entry.Key, out ReadResource? resource))
            {
                errors.Add(
                    entry.Place, $"{node.Section.PathOf("resources")}: there is no resource '{entry.Key}'",
                    NearestKey.Advice(entry.Key, resources.Keys, "resources"));
            }
            else if (resource.Configuration is { } configured
                && !configured.Between.Any(name => nodes[name] == node))
            {
                errors.Add(entry.Place,
                    $"{node.Section.PathOf("resources")}: resource '{entry.Key}' is not on this node",
                    $"it is between {configured.Between[0]} and {configured.Between[1]}; remove this part");
            }
        }
    }
}
