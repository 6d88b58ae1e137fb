using System.Security.Cryptography;
using MirrorD.Lab;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;
using MirrorD.Machines.Agent;

namespace MirrorD.Machines.Tests;

/// <summary>What other tests rely on while machines run.</summary>
public sealed class MachineTests(TwoMachines machines) : IClassFixture<TwoMachines>
{
    private const int BlockBytes = 4096;
    private const int EvictedBlocks = 400;

    private Machine A => machines.Lab.A;

    private Machine B => machines.Lab.B;

    private Lab.Lab Networks => machines.Lab.Networks;

    [MachineFact]
    public void A_machine_is_a_whole_Debian_with_the_stock_kernel_and_nothing_that_failed()
    {
        Assert.Equal("running", A.Run("systemctl", "is-system-running").Output.Trim());
        Assert.Contains("-cloud-amd64", A.Run("uname", "-r").Require().Output, StringComparison.Ordinal);
        Assert.Contains("bookworm", A.ReadFile("/etc/os-release"), StringComparison.Ordinal);
        Assert.Equal(["a", "b"], [Output(A, "hostname"), Output(B, "hostname")]);
        Assert.NotEqual(A.ReadFile("/etc/machine-id"), B.ReadFile("/etc/machine-id"));
        Assert.NotEqual(A.BootId(), B.BootId());
        Assert.Contains("Linux version", A.Dmesg(), StringComparison.Ordinal);
    }

    [MachineFact]
    public void A_program_ends_with_its_status_and_both_outputs_and_one_that_hangs_is_killed()
    {
        ToolResult result = A.Shell("echo said; echo complained >&2; exit 7");
        Assert.Equal((7, "said\n", "complained\n"), (result.ExitCode, result.Output, result.Error));
        Assert.Equal(137, A.RunWithin(1, "sleep", "1000").ExitCode);
        Assert.NotEqual(0, A.Run("no-such-program").ExitCode);

        GuestProcess background = A.Start("sh", "-c", "until test -e /run/go; do sleep 0.1; done; echo went");
        Assert.False(background.HasEnded());
        A.WriteFile("/run/go", "");
        Assert.Equal("went\n", background.WaitForExit(60).Output);
    }

    [MachineFact]
    public void Files_of_any_size_come_in_and_go_out_as_they_are()
    {
        byte[] small = RandomNumberGenerator.GetBytes(700_000);
        A.WriteFile("/tmp/small", small);
        Assert.Equal(small, A.ReadBytes("/tmp/small"));
        Assert.Throws<GuestAgentException>(() => A.ReadFile("/tmp/nothing"));

        string large = Path.Combine(Networks.Directory, "large");
        File.WriteAllBytes(large, RandomNumberGenerator.GetBytes((40 << 20) + 1));
        A.CopyIn(large, "/tmp/large");
        string sum = Tool.Run("sha256sum", large).Require().Output.Split(' ')[0];
        Assert.StartsWith(sum, A.Run("sha256sum", "/tmp/large").Require().Output, StringComparison.Ordinal);
        Assert.DoesNotContain("copy", Output(A, "lsblk", "-no", "SERIAL"), StringComparison.Ordinal);
        A.Run("rm", "/tmp/large").Require();
    }

    [MachineFact]
    public void The_kernel_has_nbd()
    {
        A.Run("modprobe", "nbd", "nbds_max=2").Require();
        A.Run("test", "-b", "/dev/nbd1").Require();
    }

    [MachineFact]
    public void Machines_reach_each_other_and_the_client_until_one_network_is_cut_and_the_agent_needs_none()
    {
        string seen = Output(A, "ip", "-o", "-4", "addr");
        Assert.Matches(@"prod +inet 10\.77\.0\.1/24", seen);
        Assert.Matches(@"ded +inet 10\.78\.0\.1/24", seen);
        Assert.True(A.Pings(B.ProductionAddress));
        Assert.True(A.Pings(B.DedicatedAddress!));
        Assert.True(machines.Lab.Client.Pings(A.ProductionAddress));
        Assert.Equal(A.HardwareAddress("prod"), machines.Lab.Client.Neighbour(A.ProductionAddress));

        Networks.Link.CutSilently();
        Assert.False(A.Pings(B.DedicatedAddress!));
        Assert.True(A.Pings(B.ProductionAddress));
        Networks.MendNetworks();
        Wait.For("the dedicated link to work again", 30, () => A.Pings(B.DedicatedAddress!));

        Networks.Production.CutSilently(Networks.A);
        Assert.False(A.Pings(B.ProductionAddress));
        Assert.False(machines.Lab.Client.Pings(A.ProductionAddress));
        Assert.True(A.Pings(B.DedicatedAddress!));
        Networks.Link.Cut();
        Assert.False(A.Pings(B.DedicatedAddress!));
        Assert.Equal("a", Output(A, "hostname"));
        Networks.MendNetworks();
        Wait.For("both networks to work again", 30, () =>
            A.Pings(B.ProductionAddress) && A.Pings(B.DedicatedAddress!));
    }

    [MachineFact]
    public void A_cable_can_be_unplugged_so_that_the_machine_sees_it()
    {
        A.Unplug("ded");
        Wait.For("a to see the cable go", 30, () => Carrier() == "0");
        Assert.False(A.Pings(B.DedicatedAddress!));
        A.Plug("ded");
        Wait.For("a to see the cable again", 30, () => Carrier() == "1");
        Wait.For("the dedicated link to work again", 30, () => A.Pings(B.DedicatedAddress!));

        string Carrier() => A.ReadFile("/sys/class/net/ded/carrier").Trim();
    }

    [MachineFact]
    public void A_machine_that_stands_still_answers_nobody_and_goes_on_where_it_was()
    {
        string boot = A.BootId();
        A.Pause();
        Assert.False(machines.Lab.Client.Pings(A.ProductionAddress));
        A.Resume();
        Wait.For("the client to reach a again", 30, () => machines.Lab.Client.Pings(A.ProductionAddress));
        Assert.Equal(boot, A.BootId());
    }

    [MachineFact]
    public void A_power_cut_loses_what_was_not_flushed_and_keeps_what_was()
    {
        string boot = A.BootId();
        string disk = A.DiskPath(TwoMachines.Strict);
        WriteBlock(A, disk, 1, "flushed", "oflag=direct conv=fsync");
        WriteBlock(A, disk, 2, "synchronous", "oflag=direct,dsync");
        WriteBlock(A, disk, 3, "unflushed", "oflag=direct");
        A.Shell($"dd if=/dev/urandom of={A.DiskPath(TwoMachines.Evicting)} bs={BlockBytes} " +
            $"count={EvictedBlocks} oflag=direct").Require();
        A.Shell("echo kept > /root/synced; sync /root/synced; echo lost > /root/unsynced").Require();
        Assert.Equal("unflushed", ReadBlock(disk, 3));

        A.PowerCut();
        Assert.False(machines.Lab.Client.Pings(A.ProductionAddress));
        A.PowerOn();
        Assert.NotEqual(boot, A.BootId());
        Assert.Equal(
            ["flushed", "synchronous", ""], [ReadBlock(disk, 1), ReadBlock(disk, 2), ReadBlock(disk, 3)]);
        Assert.Equal("kept\n", A.ReadFile("/root/synced"));
        Assert.Equal("", Output(A, "sh", "-c", "cat /root/unsynced 2>/dev/null || true"));

        byte[] evicted = A.ReadBytes(A.DiskPath(TwoMachines.Evicting));
        int reached = evicted.Chunk(BlockBytes).Count(block => block[^1] != 0);
        Assert.InRange(reached, EvictedBlocks * 3 / 10, EvictedBlocks * 7 / 10);
    }

    [MachineFact]
    public void A_reboot_and_an_orderly_stop_keep_files_and_what_the_disks_hold_unflushed()
    {
        string disk = B.DiskPath(TwoMachines.Strict);
        B.Shell("echo unsynced > /root/file").Require();
        WriteBlock(B, disk, 0, "unflushed", "oflag=direct");
        B.Reboot();
        Assert.Equal("unsynced\n", B.ReadFile("/root/file"));
        Assert.StartsWith("unflushed", Output(B, "head", "-c", "9", disk), StringComparison.Ordinal);

        B.Stop();
        Assert.False(B.IsOn);
        B.PowerOn();
        Assert.Equal("unsynced\n", B.ReadFile("/root/file"));
        Assert.StartsWith("unflushed", Output(B, "head", "-c", "9", disk), StringComparison.Ordinal);
        Assert.True(A.Pings(B.DedicatedAddress!));
    }

    private static string Output(Machine machine, string program, params IReadOnlyList<string> arguments) =>
        machine.Run(program, arguments).Require().Output.Trim();

    private static void WriteBlock(
        Machine machine, string disk, int index, string text, string how) => machine.Shell(
        $"printf {text} > /tmp/block; truncate -s {BlockBytes} /tmp/block; " +
        $"dd if=/tmp/block of={disk} bs={BlockBytes} count=1 seek={index} {how}").Require();

    private string ReadBlock(string disk, int index) => Output(
        A, "sh", "-c",
        $"dd if={disk} bs={BlockBytes} count=1 skip={index} iflag=direct status=none | tr -d '\\0'");
}
