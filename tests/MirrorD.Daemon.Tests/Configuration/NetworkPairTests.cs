using System.Net;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

public class NetworkPairTests
{
    [Fact]
    public void Each_network_of_the_peer_comes_with_the_own_one_of_its_kind_place_and_family()
    {
        NodeConfiguration self = Node("a", ["10.0.0.1"], ["192.0.2.1", "fd00::1", "198.51.100.1"]);
        NodeConfiguration peer = Node("b", ["10.0.0.2", "10.0.1.2"], ["192.0.2.2", "198.51.100.2"]);
        Assert.Equal(
            [
                (true, 0, "10.0.0.1", "10.0.0.2"), (true, 1, null, "10.0.1.2"), (false, 0, "192.0.2.1", "192.0.2.2"),
                (false, 1, null, "198.51.100.2"),
            ],
            NetworkPair.Of(self, peer).Select(pair =>
                (pair.IsDedicated, pair.Place, pair.Own?.Address.ToString(), pair.There.Address.ToString())));
    }

    private static NodeConfiguration Node(string name, string[] dedicated, string[] production) =>
        new(name, [.. dedicated.Select(Network)], [.. production.Select(Network)]);

    private static NetworkConfiguration Network(string address) => new(IPAddress.Parse(address), "eth0", 7780);
}
