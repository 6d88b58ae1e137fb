using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Networks;

/// <summary>A host of the lab: a network namespace with a leg in the production network.</summary>
public sealed class Host
{
    private readonly Lab _lab;
    private int _boots;
    private string _bootIdPath;

    internal Host(Lab lab, string name, string productionAddress, string? dedicatedAddress)
    {
        _lab = lab;
        Name = name;
        Namespace = $"{_lab.Id}-{name}";
        ProductionAddress = productionAddress;
        DedicatedAddress = dedicatedAddress;
        Directory = Path.Combine(_lab.Directory, name);
        System.IO.Directory.CreateDirectory(Directory);
        _bootIdPath = "";
        Boot();
    }

    /// <summary>Interface in the production network, the same name on every host.</summary>
    public const string ProductionInterface = "prod";

    /// <summary>Interface of the dedicated link, on a and b.</summary>
    public const string DedicatedInterface = "ded";

    /// <summary>a, b, client or gateway.</summary>
    public string Name { get; }

    /// <summary>Name of its network namespace.</summary>
    public string Namespace { get; }

    /// <summary>Its address in the production network, without prefix length.</summary>
    public string ProductionAddress { get; }

    /// <summary>Its address on the dedicated link; null for those that have none.</summary>
    public string? DedicatedAddress { get; }

    /// <summary>A directory for its files.</summary>
    public string Directory { get; }

    /// <summary>Hardware address of an interface.</summary>
    public string HardwareAddress(string networkInterface) =>
        WordAfter("link/ether", Run("ip", "-o", "link", "show", networkInterface).Require().Output)!;

    /// <summary>True when an interface of this host holds the address.</summary>
    public bool Holds(string address) =>
        Run("ip", "-o", "addr", "show").Require().Output.Contains($" {address}/", StringComparison.Ordinal);

    /// <summary>
    /// The hardware address this host's neighbour table has for an address; null when it has none.
    /// </summary>
    public string? Neighbour(string address) =>
        WordAfter("lladdr", Run("ip", "neigh", "show", address).Require().Output);

    /// <summary>True when the address answers a ping within a second.</summary>
    public bool Pings(string address) => Run("ping", "-c", "1", "-W", "1", "-n", address).Succeeded;

    /// <summary>Answers nothing that comes from another host over the production network, not even ARP.</summary>
    public void Ignore(Host other) => Run(
        "nft",
        "add table netdev ignored; " +
        "add chain netdev ignored incoming { type filter hook ingress device \"" + ProductionInterface +
        "\" priority 0; }; " +
        $"add rule netdev ignored incoming ether saddr {other.HardwareAddress(ProductionInterface)} drop").Require();

    /// <summary>Ends <see cref="Ignore"/> for all hosts.</summary>
    public void IgnoreNobody() => Run("nft", "delete table netdev ignored");

    /// <summary>Removes an address from the production interface if it is there, as a reboot does.</summary>
    public void Forget(string address) => Run("ip", "addr", "del", $"{address}/32", "dev", ProductionInterface);

    /// <summary>Runs a tool on this host.</summary>
    public ToolResult Run(string program, params IReadOnlyList<string> arguments) =>
        Tool.Run("nsenter", [NamespaceOption(Namespace), program, .. arguments]);

    /// <summary>
    /// Starts a long-running program on this host. It sees this host's boot id and network interfaces in
    /// /proc and /sys.
    /// </summary>
    public LabProcess Start(string name, string program, params IReadOnlyList<string> arguments)
    {
        // The mounts are in a mount namespace of the process alone. Each wrapper ends in exec.
        const string Enter =
            "boot=$1; shift; mount --make-rprivate /proc && " +
            "mount --bind \"$boot\" /proc/sys/kernel/random/boot_id && " +
            "mount --make-rprivate /sys && mount -t sysfs sysfs /sys && exec \"$@\"";
        return _lab.Start(
            $"{Name}-{name}", Namespace, "unshare",
            [
                "--mount", "--propagation", "unchanged",
                "sh", "-c", Enter, "sh", _bootIdPath, program, .. arguments,
            ]);
    }

    /// <summary>
    /// From now on this is another run of the host: programs started later see a new boot id.
    /// </summary>
    public void Boot()
    {
        _boots++;
        _bootIdPath = Path.Combine(Directory, $"boot-id-{_boots}");
        File.WriteAllText(_bootIdPath, $"{Guid.NewGuid()}\n");
    }

    // nsenter and not "ip netns exec", which fails where / is no mount point: in a chroot.
    internal static string NamespaceOption(string networkNamespace) => $"--net=/run/netns/{networkNamespace}";

    private static string? WordAfter(string key, string text)
    {
        string[] words = text.Split(' ', '\n');
        int at = Array.IndexOf(words, key);
        return at < 0 ? null : words[at + 1];
    }
}
