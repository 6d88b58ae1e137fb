using System.Net;
using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>A node as read: its settings, its place, and what it says about resources.</summary>
/// <param name="Configuration">Null after a mistake.</param>
/// <param name="Place">Where the node stands.</param>
/// <param name="NetworkPlaces">Where each of its own addresses stands.</param>
/// <param name="Section">The node's section, for its overrides.</param>
internal sealed record ReadNode(
    NodeConfiguration? Configuration,
    SourcePlace Place,
    IReadOnlyList<(IPAddress Address, SourcePlace Place)> NetworkPlaces,
    Section Section);

/// <summary>Reads "nodes".</summary>
internal sealed class NodeReader(ConfigurationErrors errors)
{
    private const string NodeExample = "{dedicated: {address: 10.0.0.1, interface: eth1}}";

    public IReadOnlyDictionary<string, ReadNode> Read(Section root)
    {
        var nodes = new Dictionary<string, ReadNode>(StringComparer.Ordinal);
        foreach ((YamlEntry entry, YamlMapping value) in root.Named("nodes", NodeExample))
        {
            Names.Check(entry, "node", errors);
            int errorsBefore = errors.Count;
            var section = new Section(
                value, $"nodes.{entry.Key}", errors, "dedicated", "production", "resources", "io", MetricsReader.Key);
            var places = new List<(IPAddress, SourcePlace)>();
            var dedicated = Networks(section, "dedicated", places);
            var production = Networks(section, "production", places);
            MetricsConfiguration? metrics = MetricsReader.Read(section, errors);
            if (!section.Has("dedicated"))
            {
                section.Missing("dedicated", "{address: 10.0.0.1, interface: eth1}");
            }

            IoChoice io = section.Choice(
                "io", IoChoice.Auto, "way of input and output", "write 'auto', 'uring' or 'epoll'",
                ("auto", IoChoice.Auto), ("uring", IoChoice.Uring), ("epoll", IoChoice.Epoll));
            nodes[entry.Key] = new ReadNode(
                errors.Count == errorsBefore
                    ? new NodeConfiguration(entry.Key, dedicated, production) { Io = io, Metrics = metrics } : null,
                entry.Place, places, section);
        }

        return nodes;
    }

    private List<NetworkConfiguration> Networks(
        Section node, string key, List<(IPAddress Address, SourcePlace Place)> places)
    {
        var networks = new List<NetworkConfiguration>();
        foreach (YamlNode item in node.OneOrMore(key))
        {
            if (item is not YamlMapping mapping)
            {
                errors.Add(
                    item.Place, $"{node.PathOf(key)}: {item.Kind} stands here where a mapping is expected",
                    $"write e.g. '{key}: {{address: 10.0.0.1, interface: eth1}}'");
                continue;
            }

            // Only a dedicated network carries links, and only a production network tells by its gateway how
            // well clients reach this node.
            string[] keys = key == "dedicated"
                ? ["address", "interface", "port", "heartbeat-port", "call-port"]
                : ["address", "interface", "gateway", "heartbeat-port", "call-port"];
            var section = new Section(mapping, node.PathOf(key), errors, keys);
            IPAddress? address = Address(section);
            string? device = section.Text("interface", "eth1");
            int port = section.Port("port", "7780") ?? NetworkConfiguration.DefaultPort;
            int heartbeatPort = section.Port("heartbeat-port", "7780", "UDP")
                ?? NetworkConfiguration.DefaultHeartbeatPort;
            int callPort = section.Port("call-port", "7779") ?? NetworkConfiguration.DefaultCallPort;
            IPAddress? gateway = Gateway(section, address);
            if (address is not null)
            {
                networks.Add(new NetworkConfiguration(
                    address, device, port, gateway, heartbeatPort, callPort));
                places.Add((address, section.PlaceOf("address")));
            }
        }

        return networks;
    }

    private static IPAddress? Address(Section section)
    {
        if (section.RequiredText("address", "10.0.0.1") is not { } text)
        {
            return null;
        }

        if (text.Contains('/'))
        {
            section.Bad(
                "address", $"'{text}' has a prefix length",
                $"write the node's own address alone: {text.Split('/')[0]}");
            return null;
        }

        if (Addresses.Parse(text) is not { } address)
        {
            section.Bad("address", $"'{text}' is not an IP address", "write one such as 10.0.0.1");
            return null;
        }

        return address;
    }

    private static IPAddress? Gateway(Section section, IPAddress? own)
    {
        if (section.Text("gateway", "192.0.2.254") is not { } text)
        {
            return null;
        }

        if (Addresses.Parse(text) is not { } gateway)
        {
            section.Bad("gateway", $"'{text}' is not an IP address", "write one such as 192.0.2.254");
            return null;
        }

        if (own is not null && gateway.AddressFamily != own.AddressFamily)
        {
            section.Bad(
                "gateway", $"{gateway} is {Addresses.Family(gateway)}, but the node's address {own} is " +
                Addresses.Family(own),
                "name the gateway in the family of the address");
            return null;
        }

        if (gateway.Equals(own))
        {
            section.Bad(
                "gateway", $"{gateway} is the node's own address, which always answers",
                "name another host of that network, e.g. its router");
            return null;
        }

        return gateway;
    }
}
