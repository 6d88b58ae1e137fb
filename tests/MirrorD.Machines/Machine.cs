using System.Security.Cryptography;
using System.Text;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Devices;
using MirrorD.Machines.Images;

namespace MirrorD.Machines;

/// <summary>
/// A whole Debian in QEMU's software emulation, in the place of a host of the lab. Its root file system is an
/// overlay that lives as long as the lab; other machines never see what it wrote.
/// </summary>
public sealed partial class Machine
{
    private const string BootIdPath = "/proc/sys/kernel/random/boot_id";
    private readonly Lab.Lab _lab;
    private readonly MachineNetworks _networks;
    private readonly Dictionary<string, VolatileDiskServer> _disks = [];
    private int _starts;
    private LabProcess? _qemu;
    private QemuMonitor? _monitor;
    private GuestAgent? _agent;

    internal Machine(
        Lab.Lab lab, Host host, MachineOptions options, MachineNetworks networks, string rootName)
    {
        _lab = lab;
        Host = host;
        Options = options;
        _networks = networks;
        RootFile = Path.Combine(host.Directory, rootName);
        string below = options.RootFile ?? MachineImage.Get().Root;
        Tool.Run(
            "qemu-img", "create", "-q", "-f", "qcow2", "-F", options.RootFile is null ? "raw" : "qcow2",
            "-b", below, RootFile).Require();
        foreach (MachineDisk disk in options.Disks)
        {
            _disks.Add(disk.Name, new VolatileDiskServer(
                lab, $"{host.Name}-{disk.Name}", disk.LengthBytes, disk.EvictPercent));
        }
    }

    /// <summary>The place that it has in the lab's networks; its namespace is not the machine's.</summary>
    public Host Host { get; }

    /// <summary>What it has.</summary>
    public MachineOptions Options { get; }

    /// <summary>a, b, client or gateway; also its host name.</summary>
    public string Name => Host.Name;

    /// <summary>Its address in the production network, on the interface "prod".</summary>
    public string ProductionAddress => Host.ProductionAddress;

    /// <summary>Its address on the dedicated link, on the interface "ded"; null when it has none.</summary>
    public string? DedicatedAddress => Host.DedicatedAddress;

    /// <summary>The overlay with what it wrote to its root file system, here.</summary>
    internal string RootFile { get; }

    /// <summary>True while QEMU runs.</summary>
    public bool IsOn => _qemu is { IsRunning: true };

    /// <summary>QEMU of the last power-on.</summary>
    public LabProcess Qemu => _qemu ?? throw new InvalidOperationException($"{Name} was never powered on");

    /// <summary>Hardware address of "prod" or "ded".</summary>
    public string HardwareAddress(string networkInterface) => _networks.HardwareAddress(networkInterface);

    /// <summary>Path in the machine of one of its disks.</summary>
    public string DiskPath(string name) => Options.Disks.Single(disk => disk.Name == name).Path;

    /// <summary>Another one after each boot (random(4), boot_id).</summary>
    public string BootId() => ReadFile(BootIdPath).Trim();

    /// <summary>True when the address answers the machine's ping within two seconds.</summary>
    public bool Pings(string address) => Run("ping", "-c", "1", "-W", "2", "-n", address).Succeeded;

    /// <summary>Takes the cable out of "prod" or "ded": the machine sees its carrier go.</summary>
    public void Unplug(string networkInterface) => SetCarrier(networkInterface, up: false);

    /// <summary>Undoes <see cref="Unplug"/>.</summary>
    public void Plug(string networkInterface) => SetCarrier(networkInterface, up: true);

    /// <summary>All that the kernel says, with the time since boot.</summary>
    public string Dmesg() => Run("dmesg").Require().Output;

    /// <summary>
    /// The end of what came over the serial console in all its lives: for a machine that answers no more.
    /// </summary>
    public string ConsoleTail(int lines = 40)
    {
        string[] all = File.Exists(ConsoleLog) ? ReadConsole().Split('\n') : [];
        string state = IsOn ? "on" : "off";
        return $"--- console of {Name} ({state}) ---\n{string.Join('\n', all.TakeLast(lines + 1))}";
    }

    /// <summary>Socket of the serial console, for a person.</summary>
    internal string ConsoleSocket => Path.Combine(Host.Directory, "console.sock");

    private string ConsoleLog => Path.Combine(Host.Directory, "console.log");

    private string MonitorSocket => Path.Combine(Host.Directory, "monitor.sock");

    private string AgentSocket => Path.Combine(Host.Directory, "agent.sock");

    private QemuMonitor Monitor => _monitor ?? throw IsOff();

    private GuestAgent GuestAgent => _agent ?? throw IsOff();

    // A machine's id must be the same over its life, and another one than the other machines'.
    private string MachineId =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Name)).AsSpan(0, 16));

    private InvalidOperationException IsOff() => new($"{Name} is not powered on");

    private void SetCarrier(string networkInterface, bool up) =>
        Monitor.Call("set_link", new { name = networkInterface, up });

    private string ReadConsole()
    {
        using var stream = new FileStream(ConsoleLog, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private List<string> QemuArguments()
    {
        MachineImage image = MachineImage.Get();
        List<string> words =
        [
            // The old board: devices can be added while it runs. Five-level page tables only cost time.
            "-machine", "pc", "-cpu", "max,la57=off", "-accel", "tcg,thread=multi,tb-size=256",
            "-smp", $"{Options.Processors}", "-m", $"{Options.MemoryMebibytes}",
            "-name", $"{_lab.Id}-{Name}", "-nodefaults", "-no-user-config", "-display", "none",
            "-kernel", image.Kernel, "-initrd", image.InitialRoot,
            "-append",
            "console=ttyS0 quiet loglevel=5 mitigations=off nokaslr "
                + $"systemd.hostname={Name} systemd.machine_id={MachineId} {_networks.KernelParameters} "
                + Options.KernelParameters,
            "-chardev",
            $"socket,id=console,path={ConsoleSocket},server=on,wait=off,logfile={ConsoleLog},logappend=on",
            "-serial", "chardev:console",
            "-qmp", $"unix:{MonitorSocket},server=on,wait=off",
            "-device", "virtio-rng-pci",
            "-device", "virtio-serial-pci",
            "-chardev", $"socket,id=agent,path={AgentSocket},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
            // What the machine flushes is in the file when QEMU dies. It need not outlive its test.
            "-blockdev",
            $"driver=qcow2,node-name=root,file.driver=file,file.filename={RootFile},cache.no-flush=on",
            "-device", "virtio-blk-pci,drive=root,serial=root,write-cache=on",
            .. _networks.Devices,
        ];
        foreach (MachineDisk disk in Options.Disks)
        {
            words.AddRange(
            [
                "-blockdev",
                $"driver=nbd,node-name=disk-{disk.Name},cache.direct=on," +
                    $"server.type=unix,server.path={_disks[disk.Name].Socket}",
                "-device", $"virtio-blk-pci,drive=disk-{disk.Name},serial={disk.Name},write-cache=on",
            ]);
        }

        return words;
    }
}
