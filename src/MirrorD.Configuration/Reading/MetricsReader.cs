using System.Net;

namespace MirrorD.Configuration.Reading;

/// <summary>Reads "metrics" of a node: where they are shown over TCP.</summary>
internal static class MetricsReader
{
    /// <summary>The key of a node that is read here.</summary>
    public const string Key = "metrics";

    private const string AddressExample = "10.20.0.1";

    /// <summary>What the section of a node says; null when it says nothing, or after a mistake.</summary>
    public static MetricsConfiguration? Read(Section node, ConfigurationErrors errors)
    {
        if (node.Mapping(Key, $"{{address: {AddressExample}}}") is not { } mapping)
        {
            return null;
        }

        var section = new Section(mapping, node.PathOf(Key), errors, "address", "port");
        int port = section.Port("port", $"{MetricsConfiguration.DefaultPort}") ?? MetricsConfiguration.DefaultPort;
        if (section.RequiredText("address", AddressExample) is not { } text)
        {
            return null;
        }

        IPAddress? address = Addresses.Parse(text);
        if (address is null or { IsIPv4MappedToIPv6: true })
        {
            section.Bad("address", $"'{text}' is not an IP address to listen on",
                $"write one without prefix length, e.g. {AddressExample}, of a network that only operators reach");
            return null;
        }

        return new MetricsConfiguration(address, port);
    }

    /// <summary>Reports a port that something else of the same node has.</summary>
    public static void Check(
        ConfigurationErrors errors, ClusterConfiguration configuration, IReadOnlyDictionary<string, ReadNode> nodes)
    {
        foreach (NodeConfiguration node in configuration.Nodes.Values)
        {
            if (node.Metrics is { } own && Met(configuration, node, own) is { } met)
            {
                Section section = nodes[node.Name].Section;
                errors.Add(section.PlaceOf(Key),
                    $"{section.PathOf(Key)}: port {own.Port} at {own.Address} is that of {met}", "give it another 'port'");
            }
        }
    }

    private static string? Met(ClusterConfiguration configuration, NodeConfiguration node, MetricsConfiguration own)
    {
        if (node.Dedicated.Concat(node.Production).Any(network => Meets(own, network.Address, network.CallPort)))
        {
            return $"the calls to node {node.Name} ('call-port')";
        }

        foreach (ResourceConfiguration resource in configuration.Resources.Values)
        {
            if (resource.On.TryGetValue(node.Name, out ResourceOnNode? here) && Meets(own, here.Link.Address, here.Link.Port))
            {
                return $"the link of resource {resource.Name}";
            }

            if (resource.Between.Contains(node.Name) && resource.NbdTcp is { } exports
                && Meets(own, exports.Address, exports.Port))
            {
                return $"the exports of resource {resource.Name}";
            }
        }

        return null;
    }

    private static bool Meets(MetricsConfiguration own, IPAddress address, int port) =>
        NbdTcpChecks.Meets(own.Address, own.Port, address, port);
}
