using MirrorD.Configuration.Yaml;

namespace MirrorD.Configuration.Reading;

/// <summary>What only shows across sections: addresses, devices and ports that are used twice.</summary>
internal sealed class ClusterChecks(
    ConfigurationErrors errors, ClusterConfiguration configuration,
    IReadOnlyDictionary<string, ReadResource> resources)
{
    // A common setting is read for both nodes of a pair; its mistake is told once.
    private readonly HashSet<(SourcePlace Place, string Subject)> _told = [];

    public void Run(IReadOnlyDictionary<string, ReadNode> nodes)
    {
        CheckAddresses(nodes);
        foreach (string node in configuration.Nodes.Keys)
        {
            CheckDevices(node);
            CheckPorts(node);
        }

        NbdTcpChecks.Run(errors, configuration, resources);
        MetricsReader.Check(errors, configuration, nodes);
    }

    private void CheckAddresses(IReadOnlyDictionary<string, ReadNode> nodes)
    {
        var seen = new Dictionary<string, (string Owner, SourcePlace Place)>(StringComparer.Ordinal);
        foreach ((string name, ReadNode node) in nodes)
        {
            foreach ((System.Net.IPAddress address, SourcePlace place) in node.NetworkPlaces)
            {
                Claim(seen, address.ToString(), $"node {name}", place);
            }
        }

        foreach ((string name, ReadResource resource) in resources)
        {
            foreach ((string address, SourcePlace place) in resource.AddressPlaces)
            {
                Claim(seen, address, $"resource {name}", place);
            }
        }
    }

    private void Claim(
        Dictionary<string, (string Owner, SourcePlace Place)> seen, string address, string owner,
        SourcePlace place)
    {
        if (seen.TryGetValue(address, out (string Owner, SourcePlace Place) earlier))
        {
            errors.Add(
                place, $"address {address} of {owner} is already that of {earlier.Owner} ({earlier.Place})",
                "give each its own address");
            return;
        }

        seen.Add(address, (owner, place));
    }

    private void CheckDevices(string node)
    {
        var used = new List<(string Path, string Resource, SourcePlace Place)>();
        foreach ((string name, ReadResource resource) in resources)
        {
            foreach ((_, string path, SourcePlace place) in resource.VolumePlaces.Where(
                entry => entry.Node == node))
            {
                foreach ((string other, string owner, SourcePlace earlier) in used)
                {
                    if (other == path && _told.Add((place, path)))
                    {
                        errors.Add(
                            place, $"node {node}: {path} is already used by resource {owner} ({earlier})",
                            "give each volume and each metadata area its own device or file");
                    }
                    else if ((IsPartitionOf(path, other) || IsPartitionOf(other, path))
                        && _told.Add((place, path)))
                    {
                        errors.Add(
                            place, $"node {node}: {path} overlaps {other} of resource {owner} ({earlier})",
                            "use either the whole disk or its partitions");
                    }
                }

                used.Add((path, name, place));
            }
        }
    }

    /// <summary>/dev/sda1 lies in /dev/sda, /dev/nvme0n1p2 in /dev/nvme0n1.</summary>
    private static bool IsPartitionOf(string part, string whole)
    {
        if (!part.StartsWith(whole, StringComparison.Ordinal) || part.Length == whole.Length
            || whole.LastIndexOf('/') != "/dev".Length)
        {
            return false;
        }

        ReadOnlySpan<char> rest = part.AsSpan(whole.Length);
        if (char.IsAsciiDigit(whole[^1]))
        {
            if (rest[0] != 'p')
            {
                return false;
            }

            rest = rest[1..];
        }

        return rest.Length > 0 && !rest.ContainsAnyExceptInRange('0', '9');
    }

    private void CheckPorts(string node)
    {
        var seen = new Dictionary<int, string>();
        foreach (ResourceConfiguration resource in configuration.Resources.Values)
        {
            if (!resource.On.TryGetValue(node, out ResourceOnNode? here))
            {
                continue;
            }

            int port = here.Link.Port;
            CheckCallPort(node, resource.Name, here.Link);
            if (seen.TryAdd(port, resource.Name))
            {
                continue;
            }

            int free = Enumerable.Range(port, 65536 - port).FirstOrDefault(
                candidate => configuration.Resources.Values.All(
                    other => other.On.Values.All(
                        end => end.Link.Port != candidate && end.Link.CallPort != candidate)), port);
            Section section = resources[resource.Name].Section;
            if (!_told.Add((section.PlaceOf("port"), "port")))
            {
                continue;
            }

            errors.Add(section.PlaceOf("port"),
                $"node {node}: the links of resources {seen[port]} and {resource.Name} both use port {port}",
                $"add 'port: {free}' to resources.{resource.Name}");
        }
    }

    /// <summary>A link and the calls of other nodes listen at the same address.</summary>
    private void CheckCallPort(string node, string resource, NetworkConfiguration link)
    {
        Section section = resources[resource].Section;
        if (link.Port == link.CallPort && _told.Add((section.PlaceOf("port"), "call-port")))
        {
            errors.Add(section.PlaceOf("port"),
                $"node {node}: the link of resource {resource} uses port {link.Port}, which is the " +
                $"'call-port' at {link.Address}",
                $"give resources.{resource} another 'port', or the network another 'call-port'");
        }
    }
}
