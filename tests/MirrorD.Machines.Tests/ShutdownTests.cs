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
        using MirroredPair pair = Begin();
        (Machine a, Machine b) = (pair.Lab.A, pair.Lab.B);

        // A reboot: the service stops, the file system is unmounted, the role goes over, and all of it begins there.
        string boot = a.BootId();
        a.BeginReboot();
        pair.WaitForDevice(b);
        WaitForFiles(pair, b, 10);
        a.WaitUntilRebooted(boot, 400);
        pair.WaitForStatus(a, "role", "Standby");
        pair.WaitJoined();
        Compare(pair, b, Files(a));
        WentDownInOrder(a);
        output.WriteLine("reboot with a handover: " + pair.Control(b, "history").Require().Output.Split('\n')[0]);

        // Both lose power: the one that was Primary is so again, whoever is there first.
        foreach (Machine first in (Machine[])[a, b])
        {
            WaitForFiles(pair, b, 10);
            string[] files = Files(b);
            a.PowerCut();
            b.PowerCut();
            first.PowerOn();
            pair.WaitForStatus(first, "role", "Standby");
            pair.Other(first).PowerOn();
            pair.WaitForDevice(b);
            pair.WaitJoined();
            WaitForFiles(pair, b, 10);
            Compare(pair, b, files);
            output.WriteLine($"cold boot with {first.Name} first: b is Primary, {files.Length} files there");
        }
    }

    [MachineFact]
    public void Alone_a_primary_serves_again_after_its_reboot_and_a_standby_after_a_power_cut_serves_nobody()
    {
        using MirroredPair pair = Begin();
        (Machine a, Machine b) = (pair.Lab.A, pair.Lab.B);

        // Nobody to hand over to. That the other copy is outdated is stored, so it serves again without asking anybody.
        b.Stop();
        WaitForFiles(pair, a, 10);
        string boot = a.BootId();
        a.BeginReboot();
        a.WaitUntilRebooted(boot, 400);
        pair.WaitForDevice(a);
        WaitForFiles(pair, a, 10);
        Compare(pair, a, Files(a));
        WentDownInOrder(a);
        b.PowerOn();
        pair.WaitJoined();
        Assert.Equal("Standby", pair.Status(b, "role"));
        WaitForFiles(pair, a, 10);

        // Without such a proof it waits for the other one, and says what to do.
        a.PowerCut();
        b.PowerCut();
        b.PowerOn();
        Wait.For(
            "b to say that it is alone", 240,
            () => pair.Control(b, "explain", MirroredPair.Resource).Output.Contains("promote", StringComparison.Ordinal),
            pair.Describe);
        Assert.Equal("Standby", pair.Status(b, "role"));
        Assert.False(b.Run("test", "-e", MirroredPair.DevicePath).Succeeded);
    }

    // Machine a is the Primary, and the service writes there.
    private static MirroredPair Begin()
    {
        var pair = new MirroredPair(new PairChoices
        {
            SetUp = SetUp,
            ResourceLines =
            [
                "hooks: {post-acquire: [/root/acquire], pre-release: [/root/release]}", "hook-timeout: 4m",
            ],
        });
        try
        {
            Machine primary = pair.Lab.A;
            pair.MakeFileSystem(primary);
            pair.Unmount(primary);
            foreach (Machine machine in pair.Lab.Machines)
            {
                machine.Shell("touch /root/ready; sync").Require();
            }

            primary.RunWithin(240, "/root/acquire").Require();
            WaitForFiles(pair, primary, 10);
            return pair;
        }
        catch
        {
            pair.Dispose();
            throw;
        }
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
        machine.WriteFile("/root/acquire", $"#!/bin/sh\ntest -e /root/ready || exit 0\nsystemctl start {Unit}\n");
        machine.WriteFile("/root/release", $"#!/bin/sh\nsystemctl stop {Unit} srv-mail.mount\n");
        machine.Shell(
            "chmod +x /root/write /root/acquire /root/release; touch /root/acked; systemctl daemon-reload; sync").Require();
    }

    private static int Acknowledged(Machine machine) =>
        machine.ReadFile("/root/acked").Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    private static void WaitForFiles(MirroredPair pair, Machine machine, int count)
    {
        int before = Acknowledged(machine);
        Wait.For(
            $"{count} more files on {machine.Name}", 240, () => Acknowledged(machine) >= before + count, pair.Describe);
    }

    /// <summary>What was acknowledged on a machine, as sha256sum prints it.</summary>
    private static string[] Files(Machine machine) =>
    [
        // A power cut may have torn the list itself: only whole lines count.
        .. machine.ReadFile("/root/acked").Split('\n').Where(line => line.Split("  ") is [{ Length: 64 }, _]),
    ];

    /// <summary>All of them are there on the machine that serves now.</summary>
    private static void Compare(MirroredPair pair, Machine serving, string[] files)
    {
        Assert.NotEmpty(files);
        serving.WriteFile("/root/sums", string.Join('\n', files) + "\n");
        ToolResult compared = serving.Shell($"cd {MirroredPair.MountPoint} && sha256sum --quiet -c /root/sums", 240);
        Assert.True(
            compared.Succeeded, compared.Succeeded ? "" : $"{compared.Output}{compared.Error}\n{pair.Describe()}");
    }

    // Before its last boot: no request failed, and nothing had to be killed to get on.
    private static void WentDownInOrder(Machine machine)
    {
        string log = machine.RunWithin(240, "journalctl", "-b", "-1", "-o", "short-monotonic", "--no-pager").Require().Output;
        string[] complaints =
        [
            .. log.Split('\n').Where(line =>
                line.Contains("I/O error", StringComparison.Ordinal) || line.Contains("timed out", StringComparison.Ordinal)
                || line.Contains("blocked for more than", StringComparison.Ordinal)),
        ];
        Assert.True(complaints.Length == 0, string.Join('\n', complaints) + "\n" + log[^Math.Min(log.Length, 20000)..]);
    }
}
