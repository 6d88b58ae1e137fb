using System.Globalization;
using MirrorD.Lab.Networks;

namespace MirrorD.Machines.Devices;

/// <summary>
/// The networks of a machine: the namespace of its host is the box around it. Each cable of the host is
/// joined by a bridge with a tap device, which is the machine's interface: what cuts the host's cable cuts
/// the machine's.
/// </summary>
internal sealed class MachineNetworks
{
    private readonly Host _host;

    private MachineNetworks(Host host, IReadOnlyList<string> interfaces)
    {
        _host = host;
        Interfaces = interfaces;
        foreach (string name in Interfaces)
        {
            Join(name);
        }
    }

    /// <summary>The host's cables become the machine's.</summary>
    public static MachineNetworks Of(Host host) => new(host, host.DedicatedAddress is null
        ? [Host.ProductionInterface]
        : [Host.ProductionInterface, Host.DedicatedInterface]);

    /// <summary>No interface; the host stays as it is.</summary>
    public static MachineNetworks None(Host host) => new(host, []);

    /// <summary>Names of the machine's interfaces, equal to those of the hosts.</summary>
    public IReadOnlyList<string> Interfaces { get; }

    /// <summary>Words for QEMU.</summary>
    public IEnumerable<string> Devices => Interfaces.SelectMany(name => (string[])
    [
        "-netdev", $"tap,id=net-{name},ifname=tap-{name},script=no,downscript=no",
        "-device", $"virtio-net-pci,id={name},netdev=net-{name},mac={HardwareAddress(name)},romfile=",
    ]);

    /// <summary>Words for the kernel: systemd-network-generator(8) makes units of them.</summary>
    public string KernelParameters => string.Join(' ', Interfaces.Select(name =>
        $"ifname={name}:{HardwareAddress(name)} " +
        $"ip={Address(name)}:::255.255.255.0:{_host.Name}:{name}:none"));

    /// <summary>The machine's hardware address: from the last byte of its address.</summary>
    public string HardwareAddress(string name)
    {
        int last = int.Parse(Address(name).Split('.')[3], CultureInfo.InvariantCulture);
        return $"52:54:00:{(name == Host.ProductionInterface ? 77 : 78)}:00:{last:x2}";
    }

    /// <summary>The machine's address in a network.</summary>
    public string Address(string name) =>
        name == Host.ProductionInterface ? _host.ProductionAddress : _host.DedicatedAddress!;

    private void Join(string name)
    {
        string bridge = $"br-{name}";
        string tap = $"tap-{name}";
        _host.Run("ip", "addr", "flush", "dev", name).Require();
        _host.Run("ip", "link", "add", bridge, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0")
            .Require();
        _host.Run("ip", "tuntap", "add", "dev", tap, "mode", "tap").Require();
        foreach (string port in (string[])[name, tap])
        {
            _host.Run("ip", "link", "set", port, "master", bridge, "addrgenmode", "none").Require();
        }

        foreach (string device in (string[])[bridge, tap])
        {
            _host.Run("ip", "link", "set", device, "addrgenmode", "none", "up").Require();
        }
    }
}
