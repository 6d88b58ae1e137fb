using System.Text.Json;
using MirrorD.Lab;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Devices;

namespace MirrorD.Machines.Product;

/// <summary>
/// Machines a and b with the package installed and one resource between them, as an administrator would do it. Emulated
/// machines are slow: a node counts as dead only after <see cref="PairChoices.DeadAfterSeconds"/>.
/// </summary>
public sealed class MirroredPair : IDisposable
{
    /// <summary>The resource.</summary>
    public const string Resource = "mail";

    /// <summary>The block device of its volume.</summary>
    public const string DevicePath = $"/dev/mirrord/{Resource}/data";

    /// <summary>Where tests mount it.</summary>
    public const string MountPoint = "/srv/mail";

    /// <summary>Name of the backing disk.</summary>
    public const string DiskName = "backing";

    private const double SlowSeconds = 240;

    // As curl would ask the control API: an emulated machine takes seconds to start mirrorctl.
    private const string AskStatus =
        "use Socket; alarm 60; socket(S, AF_UNIX, SOCK_STREAM, 0) or die; " +
        "connect(S, sockaddr_un('/run/mirrord/mirrord.sock')) or die $!; " +
        "syswrite S, qq(GET /v1/status HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n); $/ = undef; $_ = <S>; " +
        "s/^HTTP\\S+ 200.*?\\r\\n\\r\\n//s or die $_; print";

    private readonly PairChoices _choices;

    /// <summary>Boots both machines with the package, creates, starts, and makes machine a the Primary.</summary>
    public MirroredPair(PairChoices? choices = null)
    {
        _choices = choices ?? new PairChoices();
        string root = InstalledRoot.Get(Package, _choices.MorePackages);
        Lab = new MachineLab();
        try
        {
            Lab.AddPair(new MachineOptions
            {
                MemoryMebibytes = _choices.MemoryMebibytes,
                RootFile = root,
                Disks = [new MachineDisk(DiskName, _choices.DiskBytes, _choices.EvictPercent), .. _choices.MoreDisks],
            });
            Lab.PowerOn(Lab.A, Lab.B);
            Prepare();
            Control(Lab.A, "promote", Resource).Require();
            WaitForDevice(Lab.A);
        }
        catch (Exception failed)
        {
            string logs = TryLogs();
            Lab.Dispose();
            throw new InvalidOperationException($"The pair did not come up: {failed.Message}\n{logs}", failed);
        }
    }

    /// <summary>The machines and their networks.</summary>
    public MachineLab Lab { get; }

    /// <summary>The package that is installed: the last that `make deb` built.</summary>
    public static string Package { get; } = FindPackage();

    /// <summary>The other machine.</summary>
    public Machine Other(Machine machine) => machine == Lab.A ? Lab.B : Lab.A;

    /// <summary>Runs mirrorctl on a machine.</summary>
    public ToolResult Control(Machine machine, params IReadOnlyList<string> words) =>
        machine.RunWithin(SlowSeconds, "mirrorctl", words);

    /// <summary>What the status of a machine says of a member of the resource; null while it does not answer.</summary>
    public string? Status(Machine machine, string member)
    {
        ToolResult shown = machine.RunWithin(SlowSeconds, "perl", "-e", AskStatus);
        if (!shown.Succeeded)
        {
            return null;
        }

        using JsonDocument document = JsonDocument.Parse(shown.Output);
        JsonElement resource = document.RootElement.GetProperty("resources")[0];
        return resource.TryGetProperty(member, out JsonElement value) ? value.ToString() : null;
    }

    /// <summary>Waits until a member of the status has a value.</summary>
    public void WaitForStatus(Machine machine, string member, string value) => Wait.For(
        $"{machine.Name}: {member} to be {value}", SlowSeconds, () => Status(machine, member) == value, Describe);

    /// <summary>Waits until a machine serves the resource and has its block device.</summary>
    public void WaitForDevice(Machine machine)
    {
        WaitForStatus(machine, "role", "Primary");
        Wait.For(
            $"{DevicePath} on {machine.Name}", SlowSeconds, () => machine.Run("test", "-b", DevicePath).Succeeded,
            Describe);
    }

    /// <summary>Waits until both copies are joined again.</summary>
    public void WaitJoined()
    {
        WaitForStatus(Lab.A, "link", "Joined");
        WaitForStatus(Lab.B, "link", "Joined");
    }

    /// <summary>Makes a file system on the device, with these options of mkfs.ext4, and mounts it.</summary>
    public void MakeFileSystem(Machine machine, params IReadOnlyList<string> options)
    {
        string[] words = ["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", .. options, DevicePath];
        machine.RunWithin(SlowSeconds, "mkfs.ext4", words).Require();
        Mount(machine);
    }

    /// <summary>Mounts the device.</summary>
    public void Mount(Machine machine) =>
        machine.RunWithin(SlowSeconds, "mount", "-t", "ext4", DevicePath, MountPoint).Require();

    /// <summary>Unmounts it.</summary>
    public void Unmount(Machine machine) => machine.RunWithin(SlowSeconds, "umount", MountPoint).Require();

    /// <summary>What both daemons and kernels say, for the message of a failed test.</summary>
    public string Describe() => string.Join('\n', Lab.Machines.Select(machine =>
    {
        if (!machine.IsOn)
        {
            return $"== {machine.Name} is off";
        }

        string journal = machine.Run("journalctl", "-u", "mirrord", "-n", "60", "-o", "short-monotonic", "--no-pager").Output;
        string kernel = machine.Shell("dmesg | tail -n 25").Output;
        return $"== {machine.Name}\n{Control(machine, "status").Output}{journal}\n{kernel}";
    }));

    /// <summary>Kills the machines and removes everything.</summary>
    public void Dispose() => Lab.Dispose();

    private static string FindPackage()
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            string output = Path.Combine(at, "out");
            if (File.Exists(Path.Combine(at, "MirrorD.sln")) && Directory.Exists(output))
            {
                return Directory.EnumerateFiles(output, "mirrord_*_amd64.deb").Order(StringComparer.Ordinal).LastOrDefault()
                    ?? throw new InvalidOperationException($"There is no package in {output}: run make deb.");
            }
        }

        throw new InvalidOperationException("The tests run outside of the project's directory.");
    }

    private void Prepare()
    {
        (Machine a, Machine b) = (Lab.A, Lab.B);
        a.WriteFile("/etc/mirrord/mirrord.yaml", Configuration());
        a.RunWithin(SlowSeconds, "sh", "-euc", """
            mirrorctl cluster init
            mirrorctl cluster issue b --out /root/b
            tar -C /root/b -cf /root/b.tar .
            """).Require();
        b.WriteFile("/root/b.tar", a.ReadBytes("/root/b.tar"));
        b.Run("tar", "-C", "/var/lib/mirrord", "-xf", "/root/b.tar").Require();
        GuestProcess[] starts =
        [
            .. Lab.Machines.Select(machine =>
            {
                machine.WriteFile("/etc/mirrord/mirrord.yaml", Configuration());
                _choices.SetUp?.Invoke(machine);
                return machine.Start(
                    "sh", "-euc", $"mirrorctl create {Resource} --empty; systemctl start mirrord");
            }),
        ];
        foreach (GuestProcess start in starts)
        {
            start.WaitForExit(SlowSeconds).Require();
        }

        WaitJoined();
    }

    private string Configuration()
    {
        string gateway = Lab.Networks.Gateway.ProductionAddress;
        string Node(Machine machine) =>
            $"  {machine.Name}:\n" +
            $"    dedicated: {{address: {machine.DedicatedAddress}, interface: ded}}\n" +
            $"    production: {{address: {machine.ProductionAddress}, interface: prod, gateway: {gateway}}}\n";
        string lines = string.Concat(_choices.ResourceLines.Select(line => $"    {line}\n"));
        return
            $"nodes:\n{Node(Lab.A)}{Node(Lab.B)}" +
            $"resources:\n  {Resource}:\n    between: [a, b]\n" +
            $"    volumes:\n      data: {{device: {_choices.Device ?? Lab.A.DiskPath(DiskName)}}}\n" +
            $"    addresses: [{{address: {MirrorD.Lab.Lab.ServiceAddress}/32, interface: prod}}]\n" +
            $"    block-devices: nbd\n{lines}" +
            $"heartbeat: {{interval: 500ms, dead-after: {_choices.DeadAfterSeconds}s}}\n";
    }

    private string TryLogs()
    {
        try
        {
            return Describe();
        }
        catch (Exception)
        {
            return Lab.Logs();
        }
    }
}
