using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>
/// The network of the clients: a bridge in a namespace of its own, with one port for each host. Any host can be
/// cut off, loudly or silently, in both directions or in one.
/// </summary>
public sealed class ProductionNetwork
{
    private const string Bridge = "production";
    private readonly string _namespace;
    private readonly List<Host> _hosts = [];

    internal ProductionNetwork(string networkNamespace) => _namespace = networkNamespace;

    /// <summary>Takes the bridge's end of a host's cable down: the host sees its carrier go.</summary>
    public void Unplug(Host host) => Ip("link", "set", Port(host), "down");

    /// <summary>Undoes <see cref="Unplug"/>, and nothing else.</summary>
    public void Plug(Host host) => Ip("link", "set", Port(host), "up");

    /// <summary>Takes the host's own interface down.</summary>
    public void Disable(Host host) =>
        host.Run("ip", "link", "set", Host.ProductionInterface, "down").Require();

    /// <summary>Drops all frames of a host in both directions while its carrier stays.</summary>
    public void CutSilently(Host host)
    {
        PacketDrop.Begin(host.Namespace, Host.ProductionInterface, includingArp: true);
        PacketDrop.Begin(_namespace, Port(host), includingArp: true);
    }

    /// <summary>Drops what others send to a host, but ARP; the host itself is heard.</summary>
    public void CutSilentlyTowards(Host host) =>
        PacketDrop.Begin(host.Namespace, Host.ProductionInterface, includingArp: false);

    /// <summary>Drops what a host sends, but ARP; the host itself hears the others.</summary>
    public void CutSilentlyFrom(Host host, bool includingArp = false) =>
        PacketDrop.Begin(_namespace, Port(host), includingArp);

    /// <summary>Nothing passes between these two; both still reach every other host.</summary>
    public void Part(Host one, Host other)
    {
        foreach (Host host in (Host[])[one, other])
        {
            Ip("link", "set", Port(host), "type", "bridge_slave", "isolated", "on");
        }
    }

    /// <summary>Undoes every kind of cut of every host.</summary>
    public void Mend()
    {
        foreach (Host host in _hosts)
        {
            PacketDrop.End(host.Namespace, Host.ProductionInterface);
            PacketDrop.End(_namespace, Port(host));
            Ip("link", "set", Port(host), "up", "type", "bridge_slave", "isolated", "off");
            host.Run("ip", "link", "set", Host.ProductionInterface, "up").Require();
        }
    }

    internal void Make()
    {
        Tool.Run("ip", "netns", "add", _namespace).Require();
        Ip("link", "add", Bridge, "type", "bridge", "forward_delay", "0");
        Ip("link", "set", Bridge, "up");
    }

    internal void Connect(Host host)
    {
        _hosts.Add(host);
        Ip("link", "add", Port(host), "type", "veth",
            "peer", "name", Host.ProductionInterface, "netns", host.Namespace);
        Ip("link", "set", Port(host), "master", Bridge, "up");
        host.Run("ip", "addr", "add", $"{host.ProductionAddress}/24", "dev", Host.ProductionInterface).Require();
        host.Run("ip", "link", "set", Host.ProductionInterface, "up").Require();
    }

    private static string Port(Host host) => $"to-{host.Name}";

    private void Ip(params string[] words) =>
        Tool.Run("nsenter", [Host.NamespaceOption(_namespace), "ip", .. words]).Require();
}
