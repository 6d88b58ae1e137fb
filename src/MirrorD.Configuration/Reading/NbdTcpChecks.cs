using System.Net;
using System.Net.Sockets;

namespace MirrorD.Configuration.Reading;

/// <summary>Exports over TCP that can't listen, because another port of the same node stands there.</summary>
internal static class NbdTcpChecks
{
    /// <summary>Reports the exports of all resources that meet something.</summary>
    public static void Run(
        ConfigurationErrors errors, ClusterConfiguration configuration, IReadOnlyDictionary<string, ReadResource> resources)
    {
        ResourceConfiguration[] served = [.. configuration.Resources.Values.Where(resource => resource.NbdTcp is not null)];
        for (int i = 0; i < served.Length; i++)
        {
            NbdTcpConfiguration own = served[i].NbdTcp!;
            string? met = served.Take(i)
                .Where(other => other.Between.Intersect(served[i].Between).Any()
                    && Meets(own, other.NbdTcp!.Address, other.NbdTcp.Port))
                .Select(other => $"the exports of resource {other.Name}").FirstOrDefault()
                ?? MetAtNodes(configuration, served[i], own);
            if (met is not null)
            {
                Section section = resources[served[i].Name].Section;
                errors.Add(section.PlaceOf(NbdTcpReader.Key),
                    $"{section.PathOf(NbdTcpReader.Key)}: port {own.Port} at {own.Address} is that of {met}",
                    "give them another 'port'");
            }
        }
    }

    private static string? MetAtNodes(
        ClusterConfiguration configuration, ResourceConfiguration resource, NbdTcpConfiguration own)
    {
        foreach (string node in resource.Between)
        {
            NodeConfiguration here = configuration.Nodes[node];
            if (here.Dedicated.Concat(here.Production).Any(network => Meets(own, network.Address, network.CallPort)))
            {
                return $"the calls to node {node} ('call-port')";
            }

            foreach (ResourceConfiguration other in configuration.Resources.Values)
            {
                if (other.On.TryGetValue(node, out ResourceOnNode? there) && Meets(own, there.Link.Address, there.Link.Port))
                {
                    return $"the link of resource {other.Name}";
                }
            }
        }

        return null;
    }

    /// <summary>Nobody can listen at both. An IPv6 wildcard takes no IPv4 connections here.</summary>
    public static bool Meets(IPAddress own, int ownPort, IPAddress address, int port) =>
        ownPort == port && own.AddressFamily == address.AddressFamily
        && (own.Equals(address) || IsWildcard(own) || IsWildcard(address));

    private static bool Meets(NbdTcpConfiguration own, IPAddress address, int port) =>
        Meets(own.Address, own.Port, address, port);

    private static bool IsWildcard(IPAddress address) =>
        address.Equals(address.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any);
}
