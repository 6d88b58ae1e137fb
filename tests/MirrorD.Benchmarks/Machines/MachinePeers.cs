using MirrorD.Lab;
using MirrorD.Machines;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Product;

namespace MirrorD.Benchmarks.Machines;

/// <summary>
/// Others that mirror a disk of machine a to machine b over the dedicated link, as their packages are set by default. All
/// disks are zeroes, so that nothing is to be synced.
/// </summary>
internal static class MachinePeers
{
    private const double SlowSeconds = 240;
    private const string NbdDevice = "/dev/nbd9";

    /// <summary>What they need beyond the image.</summary>
    public static IReadOnlyList<string> Packages { get; } = ["drbd-utils", "mdadm", "nbdkit"];

    /// <summary>DRBD of the stock kernel, protocol C: both copies are written before a write completes.</summary>
    public static MachineContender Drbd(MachineLab lab, string disk)
    {
        string Node(Machine machine) => $"on {machine.Name} {{ address {machine.DedicatedAddress}:7788; }}";
        string configuration =
            $"resource bench {{ protocol C; device /dev/drbd0; disk {lab.A.DiskPath(disk)}; meta-disk internal; "
            + $"{Node(lab.A)} {Node(lab.B)} }}\n";
        foreach (Machine machine in lab.Machines)
        {
            machine.WriteFile("/etc/drbd.d/bench.res", configuration);
            machine.Shell("modprobe drbd; drbdadm create-md --force bench; drbdadm up bench", SlowSeconds).Require();
        }

        void WaitFor(string what, string text) => Wait.For(
            $"DRBD {what}", SlowSeconds,
            () => lab.A.ReadFile("/proc/drbd").Contains(text, StringComparison.Ordinal), () => lab.A.ReadFile("/proc/drbd"));
        WaitFor("to be connected", "cs:Connected");
        lab.A.RunWithin(SlowSeconds, "drbdadm", "--", "--clear-bitmap", "new-current-uuid", "bench/0").Require();
        WaitFor("to be in sync", "ds:UpToDate/UpToDate");
        lab.A.RunWithin(SlowSeconds, "drbdadm", "primary", "bench").Require();
        return new MachineContender("drbd", "/dev/drbd0", disk);
    }

    /// <summary>
    /// md's raid1 of a disk of a and, by the kernel's nbd and nbdkit, one of b; its bitmap is its durable map.
    /// </summary>
    public static MachineContender Md(MachineLab lab, string disk)
    {
        lab.B.Shell(
            $"systemd-run --quiet --unit=leg nbdkit --foreground --ipaddr {lab.B.DedicatedAddress} --port 10809 "
            + $"file {lab.B.DiskPath(disk)}", SlowSeconds).Require();
        Wait.For(
            $"{NbdDevice}", SlowSeconds,
            () => lab.A.RunWithin(
                SlowSeconds, "nbd-client", lab.B.DedicatedAddress!, "10809", NbdDevice, "-N", "", "-block-size", "4096")
                .Succeeded,
            () => lab.B.Run("journalctl", "-u", "leg", "--no-pager").Output);
        lab.A.Shell(
            $"echo none > /sys/block/{Path.GetFileName(NbdDevice)}/queue/scheduler; modprobe raid1; "
            + $"mdadm --create /dev/md9 --run --level=1 --raid-devices=2 --metadata=1.2 --bitmap=internal --assume-clean "
            + $"{lab.A.DiskPath(disk)} --write-mostly {NbdDevice}", SlowSeconds).Require();
        return new MachineContender("md over nbd", "/dev/md9", disk, "nbdkit");
    }

    /// <summary>A disk of a alone, which nothing mirrors.</summary>
    public static MachineContender Disk(MachineLab lab, string disk) => new("disk of a", lab.A.DiskPath(disk), disk);
}
