using System.Globalization;
using MirrorD.Lab;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Product;

namespace MirrorD.Machines.Tests;

/// <summary>
/// The daemon is restarted and killed under a mounted file system: the device stays, fio verifies what it wrote and meets
/// no error, and the kernel tells of none.
/// </summary>
public sealed class RestartTests
{
    /// <summary>RESTARTS of them (2), each a restart and a kill.</summary>
    private static int Rounds => int.Parse(
        Environment.GetEnvironmentVariable("RESTARTS") ?? "2", CultureInfo.InvariantCulture);

    [MachineFact]
    public void The_device_outlives_the_daemon_without_an_error()
    {
        // An emulated machine takes long to start the daemon; that it is away for so long is no matter here.
        using var pair = new MirroredPair(new PairChoices { DeadAfterSeconds = 120 });
        Machine primary = pair.Lab.A;
        pair.MakeFileSystem(primary);
        string device = DeviceName(primary);
        string queue = Queue(primary, device);
        Assert.Contains("[none]", queue, StringComparison.Ordinal);
        GuestProcess fio = primary.Start(
            "fio", "--name=verified", $"--directory={MirroredPair.MountPoint}", "--size=24M", "--rw=randwrite", "--bs=4k",
            "--iodepth=8", "--ioengine=libaio", "--direct=1", "--verify=crc32c", "--verify_backlog=256", "--fsync=64",
            "--loops=1000000", "--time_based", "--runtime=100000", "--rate_iops=200", "--verify_fatal=1",
            "--group_reporting");
        for (int round = 1; round <= Rounds; round++)
        {
            WaitForProgress(pair, primary, device);
            primary.RunWithin(240, "systemctl", "restart", "mirrord").Require();
            WaitForService(pair, primary);
            WaitForProgress(pair, primary, device);
            primary.Run("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", "mirrord").Require();
            WaitForService(pair, primary);
            Assert.False(fio.HasEnded(), "fio has ended");
            Assert.Equal(device, DeviceName(primary));
            Assert.Equal(queue, Queue(primary, device));
        }

        // It ends by itself at the first block that is not what was written, and at the first error.
        WaitForProgress(pair, primary, device);
        Assert.False(fio.HasEnded(), "fio has ended");
        primary.Run("pkill", "-KILL", "-x", "fio").Require();
        fio.WaitForExit(240);
        string[] complaints =
        [
            .. primary.Dmesg().Split('\n').Where(line =>
                line.Contains("I/O error", StringComparison.Ordinal) || line.Contains("EXT4-fs error", StringComparison.Ordinal)
                || line.Contains("blocked for more than", StringComparison.Ordinal)),
        ];
        Assert.Empty(complaints);

        pair.Unmount(primary);
        ToolResult check = primary.RunWithin(240, "e2fsck", "-f", "-n", MirroredPair.DevicePath);
        Assert.True(check.ExitCode == 0, $"e2fsck says {check.ExitCode}:\n{check.Output}{check.Error}");
        Assert.Equal("Primary", pair.Status(primary, "role"));
        string[] processes = Lines(primary.Run("pgrep", "-x", "mirrord"));
        Assert.Equal(Lines(primary.Run("systemctl", "show", "--property=MainPID", "--value", "mirrord")), processes);
        // It resumed its role each time; nobody took it over.
        string history = pair.Control(primary, "history").Require().Output;
        Assert.DoesNotContain("takeover", history, StringComparison.OrdinalIgnoreCase);

        // Both copies are the same.
        string sum = Sum(primary);
        pair.WaitJoined();
        pair.Control(primary, "switchover", MirroredPair.Resource).Require();
        Machine other = pair.Other(primary);
        pair.WaitForDevice(other);
        Assert.Equal(sum, Sum(other));
    }

    // What the kernel has written to the device grows, by its own count.
    private static void WaitForProgress(MirroredPair pair, Machine machine, string device)
    {
        long before = Writes(machine, device);
        Wait.For("100 more writes to complete", 240, () => Writes(machine, device) >= before + 100, pair.Describe);
    }

    // The 5th field of /sys/block/nbdN/stat (Documentation/block/stat.rst): completed writes.
    private static long Writes(Machine machine, string device)
    {
        string stat = machine.ReadFile($"/sys/block/{device}/stat");
        return long.Parse(
            stat.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4], CultureInfo.InvariantCulture);
    }

    // What the daemon and its udev rule have set.
    private static string Queue(Machine machine, string device) =>
        string.Concat(new[] { "scheduler", "io_timeout" }.Select(name => machine.ReadFile($"/sys/block/{device}/queue/{name}")));

    private static string[] Lines(ToolResult result) =>
        result.Require().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string Sum(Machine machine) =>
        machine.RunWithin(240, "sha256sum", MirroredPair.DevicePath).Require().Output;

    private static string DeviceName(Machine machine) =>
        Path.GetFileName(machine.Run("readlink", "-f", MirroredPair.DevicePath).Require().Output.Trim());

    private static void WaitForService(MirroredPair pair, Machine machine) => Wait.For(
        "mirrord to serve again", 240,
        () => machine.Run("systemctl", "is-active", "mirrord").Output.Trim() == "active", pair.Describe);
}
