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
    IReadOnlyList<NetworkConfiguration> Production);

/// <summary>A node's place in a network.</summary>
/// <param name="Address">The node's own address there.</param>
/// <param name="Interface">Network interface; null when traffic is not bound to one.</param>
/// <param name="Port">TCP port of links that name none; used on dedicated networks.</param>
public sealed record NetworkConfiguration(IPAddress Address, string? Interface, int Port)
{
    /// <summary>Port of a link where neither the resource nor the node names one.</summary>
    public const int DefaultPort = 7780;
}
