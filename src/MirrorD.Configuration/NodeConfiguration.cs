using System.Net;

namespace MirrorD.Configuration;

/// <summary>A host that runs mirrord.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Dedicated">Networks between the nodes; the link of a resource runs over the first.</param>
/// <param name="Production">
/// Networks of the clients; service addresses go to the first unless they name an interface.
/// </param>
public sealed record NodeConfiguration(
    string Name, IReadOnlyList<NetworkConfiguration> Dedicated,
    IReadOnlyList<NetworkConfiguration> Production)
{
    /// <summary>By what its disks and sockets are served.</summary>
    public IoChoice Io { get; init; } = IoChoice.Auto;

    /// <summary>Where it shows its metrics over TCP; null: nowhere.</summary>
    public MetricsConfiguration? Metrics { get; init; }

    /// <summary>True if a gateway of a production network is configured.</summary>
    public bool HasGateway => Production.Any(network => network.Gateway is not null);
}

/// <summary>A node's place in a network.</summary>
/// <param name="Address">The node's own address there.</param>
/// <param name="Interface">Network interface; null when traffic is not bound to one.</param>
/// <param name="Port">TCP port of links that name none; used on dedicated networks.</param>
/// <param name="Gateway">
/// A host of a production network that answers whenever this node is well connected; null when none is named.
/// </param>
/// <param name="HeartbeatPort">UDP port of the heartbeats.</param>
/// <param name="CallPort">TCP port on which other nodes call this node's control API.</param>
public sealed record NetworkConfiguration(
    IPAddress Address, string? Interface, int Port, IPAddress? Gateway = null,
    int HeartbeatPort = NetworkConfiguration.DefaultHeartbeatPort,
    int CallPort = NetworkConfiguration.DefaultCallPort)
{
    /// <summary>TCP port of calls between nodes where the network names none.</summary>
    public const int DefaultCallPort = 7779;

    /// <summary>UDP port of heartbeats where the network names none.</summary>
    public const int DefaultHeartbeatPort = 7780;

    /// <summary>Port of a link where neither the resource nor the node names one.</summary>
    public const int DefaultPort = 7780;
}
