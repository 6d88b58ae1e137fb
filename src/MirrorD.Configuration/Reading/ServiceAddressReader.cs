using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>
/// Reads the service addresses of a resource and, for each node, the interface that gets them.
/// </summary>
internal sealed class ServiceAddressReader
{
    private const string Example = "{address: 192.0.2.10/24}";

    private readonly ConfigurationErrors _errors;
    private readonly IReadOnlyDictionary<string, ReadNode> _nodes;
    private readonly List<(IPAddress Address, int Prefix, string? Interface, SourcePlace Place)> _common = [];
    private readonly Dictionary<string, Dictionary<IPAddress, string>> _interfaces = [];

    public ServiceAddressReader(
        ConfigurationErrors errors, Section resource, Dictionary<string, NodeOverrides> overrides,
        IReadOnlyDictionary<string, ReadNode> nodes)
    {
        _errors = errors;
        _nodes = nodes;
        foreach ((IPAddress address, int prefix, Section section) in Entries(resource))
        {
            _common.Add((address, prefix, section.Text("interface", "eth0"), section.PlaceOf("address")));
        }

        foreach ((string node, NodeOverrides own) in overrides)
        {
            _interfaces[node] = own.Section is { } section ? ReadOverrides(section) : [];
        }
    }

    public IReadOnlyList<(string Address, SourcePlace Place)> Places =>
        [.. _common.Select(entry => (entry.Address.ToString(), entry.Place))];

    public IReadOnlyList<ServiceAddressConfiguration> ReadFor(string node)
    {
        var addresses = new List<ServiceAddressConfiguration>();
        foreach ((IPAddress address, int prefix, string? common, SourcePlace place) in _common)
        {
            NodeConfiguration? configured = _nodes[node].Configuration;
            string? device = _interfaces[node].GetValueOrDefault(address) ?? common
                ?? configured?.Production.Select(network => network.Interface).FirstOrDefault(
                    name => name is not null);
            if (device is not null)
            {
                addresses.Add(new ServiceAddressConfiguration(address, prefix, device));
            }
            else if (configured is not null)
            {
                _errors.Add(place, $"node {node} has no interface for the service address {address}",
                    $"add 'interface' here, or 'production: {{address: …, interface: …}}' to nodes.{node}");
            }
        }

        return addresses;
    }

    private IEnumerable<(IPAddress Address, int Prefix, Section Section)> Entries(Section owner)
    {
        foreach (YamlNode item in owner.OneOrMore("addresses"))
        {
            if (item is not YamlMapping mapping)
            {
                _errors.Add(item.Place,
                    $"{owner.PathOf("addresses")}: {item.Kind} stands here where a mapping is expected",
                    $"write e.g. 'addresses: [{Example}]'");
                continue;
            }

            var section = new Section(mapping, owner.PathOf("addresses"), _errors, "address", "interface");
            if (section.RequiredText("address", "192.0.2.10/24") is { } text
                && Parse(section, text) is { } parsed)
            {
                yield return (parsed.Address, parsed.Prefix, section);
            }
        }
    }

    private static (IPAddress Address, int Prefix)? Parse(Section section, string text)
    {
        string[] parts = text.Split('/');
        IPAddress? address = Addresses.Parse(parts[0]);
        if (address is null || parts.Length > 2 || address.IsIPv4MappedToIPv6 || parts[0].Contains('%'))
        {
            section.Bad(
                "address", $"'{text}' is not an IP address with prefix length",
                "write one such as 192.0.2.10/24");
            return null;
        }

        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        (string family, int most, int usual) = isV4 ? ("IPv4", 32, 24) : ("IPv6", 128, 64);
        if (parts.Length < 2)
        {
            section.Bad("address", $"'{text}' has no prefix length", $"write e.g. {text}/{usual}");
            return null;
        }

        if (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int prefix)
            || prefix < 1 || prefix > most)
        {
            section.Bad(
                "address", $"'/{parts[1]}' is not an {family} prefix length",
                $"write 1 to {most}, e.g. /{usual}");
            return null;
        }

        return (address, prefix);
    }

    private Dictionary<IPAddress, string> ReadOverrides(Section owner)
    {
        var own = new Dictionary<IPAddress, string>();
        foreach ((IPAddress address, int _, Section section) in Entries(owner))
        {
            if (_common.All(entry => !entry.Address.Equals(address)))
            {
                section.Bad("address", $"the resource has no service address {address}",
                    "name one of the addresses under the resource itself");
            }
            else if (section.RequiredText("interface", "eth0") is { } device)
            {
                own[address] = device;
            }
        }

        return own;
    }
}
