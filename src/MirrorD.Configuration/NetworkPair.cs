namespace MirrorD.Configuration;

/// <summary>A network of a peer, and this node's own one that goes with it.</summary>
/// <param name="IsDedicated">Both are dedicated networks; else production networks.</param>
/// <param name="Place">Of both among the networks of their kind, from 0.</param>
/// <param name="Own">
/// This node's own of the same kind and place; null when it has none there, or one of another address family.
/// </param>
/// <param name="There">The peer's.</param>
public sealed record NetworkPair(bool IsDedicated, int Place, NetworkConfiguration? Own, NetworkConfiguration There)
{
    /// <summary>One for each network of the peer: the dedicated ones first, each kind in its own order.</summary>
    public static IEnumerable<NetworkPair> Of(NodeConfiguration self, NodeConfiguration peer) =>
        Of(isDedicated: true, self.Dedicated, peer.Dedicated)
            .Concat(Of(isDedicated: false, self.Production, peer.Production));

    private static IEnumerable<NetworkPair> Of(
        bool isDedicated, IReadOnlyList<NetworkConfiguration> here, IReadOnlyList<NetworkConfiguration> there) =>
        there.Select((network, place) => new NetworkPair(
            isDedicated, place,
            here.ElementAtOrDefault(place) is { } own && own.Address.AddressFamily == network.Address.AddressFamily
                ? own : null,
            network));
}
