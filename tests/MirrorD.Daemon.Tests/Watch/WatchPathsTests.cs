using System.Net;
using MirrorD.Configuration;
using MirrorD.Core.Failover;
using MirrorD.Daemon.Watch;
using MirrorD.Engine.Watch;
using MirrorD.Io;

namespace MirrorD.Daemon.Tests.Watch;

public class WatchPathsTests
{
    [Fact]
    public void Networks_of_the_same_kind_and_place_are_a_path_and_others_are_none()
    {
        NodeConfiguration a = Node("a", ["10.0.0.1", "10.0.1.1"], ["192.0.2.1", "fd00::1"]);
        NodeConfiguration b = Node("b", ["10.0.0.2"], ["192.0.2.2", "198.51.100.2"]);
        Assert.Equal(
            [
                new WatchPath("dedicated 10.0.0.1", PathKind.Dedicated, 0, Ends("10.0.0.1", "10.0.0.2")),
                new WatchPath("production 192.0.2.1", PathKind.Production, 0, Ends("192.0.2.1", "192.0.2.2")),
            ],
            Paths(a, b));
    }

    [Fact]
    public void Both_nodes_find_the_same_paths_from_their_ends()
    {
        NodeConfiguration a = Node("a", ["10.0.0.1", "10.0.1.1"], ["192.0.2.1"]);
        NodeConfiguration b = Node("b", ["10.0.0.2", "10.0.1.2"], ["192.0.2.2"]);
        UdpEndpoint Turned(UdpEndpoint e) => new(
            e.RemoteAddress, e.RemotePort, e.LocalAddress, e.LocalPort, e.Interface);
        Assert.Equal(
            Paths(a, b).Select(path => (path.Kind, path.Place, Turned(path.Endpoint))),
            Paths(b, a).Select(path => (path.Kind, path.Place, path.Endpoint)));
        Assert.Equal(3, Paths(a, b).Count);
    }

    private static List<WatchPath> Paths(NodeConfiguration own, NodeConfiguration peer) =>
        [.. WatchThread.PathsTo(
            new ClusterConfiguration
            {
                Nodes = new Dictionary<string, NodeConfiguration> { [own.Name] = own, [peer.Name] = peer },
                Resources = new Dictionary<string, ResourceConfiguration>(),
            },
            own.Name, peer.Name)];

    private static NodeConfiguration Node(string name, string[] dedicated, string[] production) =>
        new(name, [.. dedicated.Select(Network)], [.. production.Select(Network)]);

    private static NetworkConfiguration Network(string address) =>
        new(IPAddress.Parse(address), "eth0", 7780, HeartbeatPort: 7790);

    private static UdpEndpoint Ends(string own, string peer) =>
        new(IPAddress.Parse(own), 7790, IPAddress.Parse(peer), 7790, "eth0");
}
