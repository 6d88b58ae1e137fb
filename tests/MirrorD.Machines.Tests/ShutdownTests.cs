using MirrorD.Lab;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Product;
using Xunit.Abstractions;

namespace MirrorD.Machines.Tests;

/// <summary>
/// Hosts that go down and come up while a service uses the mounted file system, as the documentation sets them up: fstab,
/// hooks, and a service that needs the mount.
/// </summary>
public sealed class ShutdownTests(ITestOutputHelper output)
{
    private const string Unit = "writer.service";

    [MachineFact]
    public void A_reboot_of_the_primary_hands_over_and_cold_boots_end_with_one_primary_that_has_everything()
    {
        using var pair = new MirroredPair(new PairChoices
        {
            ResourceLines =
            [
                "hooks: {post-acquire: [/root/acquire], pre-release: [/root/release]}", "hook-timeout: 4m",
            ],
        });
        (Machine a, Machine b) = (pair.Lab.A, pair.Lab.B);
        foreach (Machine machine in pair.Lab.Machines)
        {
            SetUp(machine);
        }

        pair.MakeFileSystem(a);
        pair.Unmount(a);
        a.RunWithin(240, "/root/acquire").Require();
        WaitForFiles(pair, a, 10);

        // A reboot: the service stops, the file system is unmounted, the role goes over, and all of it begins there.
        string boot = a.BootId();
        a.BeginReboot();
        pair.WaitForDevice(b);
        WaitForFiles(pair, b, 10);
        a.WaitUntilRebooted(boot, 400);
        pair.WaitForStatus(a, "role", "Standby");
        pair.WaitJoined();
        Compare(pair, b, a);
        Assert.DoesNotContain("I/O error", PreviousKernelLog(a), StringComparison.Ordinal);
        output.WriteLine("reboot: " + pair.Control(b, "history").Require().Output.Split('\n')[1]);

        // Both lose power: the one that was Primary is so again, whoever is there first.
        foreach (Machine first in (Machine[])[a, b])
        {
            WaitForFiles(pair, b, 10);
            a.PowerCut();
            b.PowerCut();
            first.PowerOn();
            pair.WaitForStatus(first, "role", "Standby");
            pair.Other(first).PowerOn();
            pair.WaitForDevice(b);
            pair.WaitJoined();
            WaitForFiles(pair, b, 10);
            Compare(pair, b, b);
            output.WriteLine($"cold boot with {first.Name} first: b is Primary");
        }

        // One alone serves nobody, and says what to do.
        a.PowerCut();
        b.PowerCut();
        a.PowerOn();
        Wait.For(
            "a to say that it is alone", 240,
            () => pair.Control(a, "explain", MirroredPair.Resource).Output.Contains("promote", StringComparison.Ordinal),
            pair.Describe);
        Assert.Equal("Standby", pair.Status(a, "role"));
        Assert.False(a.Run("test", "-e", MirroredPair.DevicePath).Succeeded);
    }

    private static void SetUp(Machine machine)
    {
        machine.Shell(
            $"echo '{MirroredPair.DevicePath} {MirroredPair.MountPoint} ext4 " +
            "noauto,nofail,_netdev,x-systemd.after=mirrord.service 0 0' >> /etc/fstab").Require();
        machine.WriteFile(
            "/etc/systemd/system/" + Unit,
            $"[Unit]\nRequiresMountsFor={MirroredPair.MountPoint}\n[Service]\nExecStart=/root/write\n");
        // What fsync has returned for is noted outside of the mirror.
        machine.WriteFile("/root/write", string.Join('\n',
            "#!/bin/sh", $"cd {MirroredPair.MountPoint}", "n=$(hostname)-$(cut -c1-8 /proc/sys/kernel/random/boot_id)-$$",
            "i=0", "while :; do i=$((i+1))",
            "dd if=/dev/urandom of=$n-$i bs=5000 count=1 conv=fsync status=none && sync . && sha256sum $n-$i >> /root/acked",
            "done", ""));
        // The first time there is no file system yet.
        machine.WriteFile("/root/acquire", $"#!/bin/sh\nblkid {MirroredPair.DevicePath} || exit 0\nsystemctl start {Unit}\n");
        machine.WriteFile("/root/release", $"#!/bin/sh\nsystemctl stop {Unit} srv-mail.mount\n");
        machine.Shell("chmod +x /root/write /root/acquire /root/release; touch /root/acked; systemctl daemon-reload").Require();
    }

    private static int Acknowledged(Machine machine) =>
        machine.ReadFile("/root/acked").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    private static void WaitForFiles(MirroredPair pair, Machine machine, int count)
    {
        int before = Acknowledged(machine);
        Wait.For(
            $"{count} more files on {machine.Name}", 240, () => Acknowledged(machine) >= before + count, pair.Describe);
    }

    /// <summary>What was acknowledged on one machine is there on the one that serves now.</summary>
    private static void Compare(MirroredPair pair, Machine serving, Machine acknowledgedOn)
    {
        // A power cut may tear the list itself: only whole lines count.
        string[] lines =
        [
            .. acknowledgedOn.ReadFile("/root/acked").Split('\n').Where(line => line.Split("  ") is [{ Length: 64 }, _]),
        ];
        Assert.NotEmpty(lines);
        serving.WriteFile("/root/sums", string.Join('\n', lines) + "\n");
        ToolResult compared = serving.Shell($"cd {MirroredPair.MountPoint} && sha256sum --quiet -c /root/sums", 240);
        Assert.True(compared.Succeeded, $"{compared.Output}{compared.Error}\n{pair.Describe()}");
    }

    private static string PreviousKernelLog(Machine machine) =>
        machine.RunWithin(240, "journalctl", "-k", "-b", "-1", "--no-pager").Output;
}
