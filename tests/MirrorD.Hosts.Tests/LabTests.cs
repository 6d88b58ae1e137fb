using MirrorD.Lab;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>The lab itself: what the other tests rely on.</summary>
public sealed class LabTests
{
    [HostFact]
    public void Hosts_reach_one_another_over_both_networks_until_they_are_cut()
    {
        using var lab = new Lab.Lab();
        Assert.True(lab.Client.Pings(lab.A.ProductionAddress));
        Assert.True(lab.Client.Pings(lab.B.ProductionAddress));
        Assert.True(lab.A.Pings(lab.B.DedicatedAddress!));
        Assert.Equal(lab.A.HardwareAddress("prod"), lab.Client.Neighbour(lab.A.ProductionAddress));

        lab.Link.Cut();
        Assert.False(lab.A.Pings(lab.B.DedicatedAddress!));
        lab.Link.Mend();
        Wait.For("the dedicated link to work again", 10, () => lab.A.Pings(lab.B.DedicatedAddress!));

        lab.Link.CutSilently();
        Assert.False(lab.A.Pings(lab.B.DedicatedAddress!));
        Assert.Contains("LOWER_UP", lab.A.Run("ip", "link", "show", "ded").Output, StringComparison.Ordinal);
        Assert.True(lab.A.Pings(lab.B.ProductionAddress));
        lab.Link.Mend();
        Wait.For("the dedicated link to work again", 10, () => lab.A.Pings(lab.B.DedicatedAddress!));
    }

    [HostFact]
    public void A_one_way_cut_lets_the_other_way_through_and_the_link_counts_bytes()
    {
        using var lab = new Lab.Lab();
        LinkBytes before = lab.Link.ReadBytes();
        lab.Link.CutSilentlyTowards(lab.A);
        Assert.False(lab.A.Pings(lab.B.DedicatedAddress!));
        LinkBytes moved = lab.Link.ReadBytes().Since(before);

        // The echo request reached b (its answer left b), and was dropped at a.
        Assert.InRange(moved.FromA, 1, 2000);
        Assert.InRange(moved.FromB, 1, 2000);

        before = lab.Link.ReadBytes();
        lab.Link.Mend();
        lab.A.Run("ping", "-c", "10", "-i", "0.01", "-s", "1400", lab.B.DedicatedAddress!).Require();
        moved = lab.Link.ReadBytes().Since(before);
        Assert.InRange(moved.FromA, 10 * 1400, 10 * 1500 + 2000);
        Assert.InRange(moved.FromB, 10 * 1400, 10 * 1500 + 2000);
    }

    [HostFact]
    public void A_host_can_be_cut_off_the_production_network_loudly_silently_or_one_way()
    {
        using var lab = new Lab.Lab();
        lab.Production.Unplug(lab.A);
        Assert.False(lab.Client.Pings(lab.A.ProductionAddress));
        Assert.Contains("NO-CARRIER", lab.A.Run("ip", "link", "show", "prod").Output, StringComparison.Ordinal);
        MendProduction(lab);

        lab.Production.Disable(lab.A);
        Assert.False(lab.Client.Pings(lab.A.ProductionAddress));
        MendProduction(lab);

        lab.Production.CutSilently(lab.A);
        Assert.False(lab.Client.Pings(lab.A.ProductionAddress));
        Assert.Contains("LOWER_UP", lab.A.Run("ip", "link", "show", "prod").Output, StringComparison.Ordinal);
        Assert.True(lab.A.Pings(lab.B.DedicatedAddress!));
        MendProduction(lab);

        // Which way is open shows in who got the echo request; for that a must know where b is.
        Assert.True(lab.A.Pings(lab.B.ProductionAddress));
        lab.Production.CutSilentlyTowards(lab.A);
        Assert.False(lab.A.Pings(lab.B.ProductionAddress));
        Assert.True(Received(lab.B, () => lab.A.Pings(lab.B.ProductionAddress)));
        MendProduction(lab);
        Assert.True(lab.A.Pings(lab.B.ProductionAddress));
        lab.Production.CutSilentlyFrom(lab.A);
        Assert.False(Received(lab.B, () => lab.A.Pings(lab.B.ProductionAddress)));
        MendProduction(lab);
    }

    [HostFact]
    public void Both_nodes_can_be_parted_while_the_others_reach_them_and_the_gateway_can_ignore_one()
    {
        using var lab = new Lab.Lab();
        lab.Production.Part(lab.A, lab.B);
        Assert.False(lab.A.Pings(lab.B.ProductionAddress));
        Assert.True(lab.Client.Pings(lab.A.ProductionAddress));
        Assert.True(lab.Client.Pings(lab.B.ProductionAddress));
        MendProduction(lab);
        Assert.True(lab.A.Pings(lab.B.ProductionAddress));

        lab.Gateway.Ignore(lab.A);
        Assert.False(lab.A.Pings(lab.Gateway.ProductionAddress));
        Assert.True(lab.B.Pings(lab.Gateway.ProductionAddress));
        lab.Gateway.IgnoreNobody();
        Assert.True(lab.A.Pings(lab.Gateway.ProductionAddress));
    }

    [HostFact]
    public void Both_networks_can_end_at_once_between_the_nodes_or_for_one_of_them()
    {
        using var lab = new Lab.Lab();
        lab.PartNodes();
        Assert.False(lab.A.Pings(lab.B.DedicatedAddress!));
        Assert.False(lab.B.Pings(lab.A.DedicatedAddress!));
        Assert.False(lab.A.Pings(lab.B.ProductionAddress));
        Assert.True(lab.Client.Pings(lab.A.ProductionAddress));
        Assert.True(lab.Client.Pings(lab.B.ProductionAddress));

        // A host that asks in vain for an address does so only once a second.
        lab.MendNetworks();
        Wait.For("the nodes to hear each other on both networks", 10, () =>
            lab.A.Pings(lab.B.DedicatedAddress!) && lab.A.Pings(lab.B.ProductionAddress));

        lab.Isolate(lab.B);
        Assert.False(lab.A.Pings(lab.B.DedicatedAddress!));
        Assert.False(lab.Client.Pings(lab.B.ProductionAddress));
        Assert.False(lab.B.Pings(lab.Gateway.ProductionAddress));
        Assert.True(lab.Client.Pings(lab.A.ProductionAddress));
        Assert.Contains("LOWER_UP", lab.B.Run("ip", "link", "show", "prod").Output, StringComparison.Ordinal);
    }

    [HostFact]
    public void A_volatile_disk_loses_at_power_loss_what_was_not_flushed_and_nothing_else()
    {
        using var lab = new Lab.Lab();
        var disk = new VolatileDisk(lab, "volatile", 64 << 20, evictPercent: 0);
        WriteDirect(disk.DevicePath, "flushed", blockIndex: 1, "conv=fsync");
        WriteDirect(disk.DevicePath, "synchronous", blockIndex: 2, "oflag=dsync");
        WriteDirect(disk.DevicePath, "unflushed", blockIndex: 3);
        Assert.StartsWith("unflushed", ReadDirect(disk.DevicePath, 3), StringComparison.Ordinal);

        disk.CutPower();
        disk.Restore();
        Assert.StartsWith("flushed", ReadDirect(disk.DevicePath, 1), StringComparison.Ordinal);
        Assert.StartsWith("synchronous", ReadDirect(disk.DevicePath, 2), StringComparison.Ordinal);
        Assert.DoesNotContain("unflushed", ReadDirect(disk.DevicePath, 3), StringComparison.Ordinal);
    }

    [HostFact]
    public void A_volatile_disk_that_evicts_keeps_some_unflushed_blocks_and_loses_others()
    {
        using var lab = new Lab.Lab();
        var disk = new VolatileDisk(lab, "evicting", 64 << 20, evictPercent: 50);
        Tool.Run("dd", "if=/dev/urandom", $"of={disk.DevicePath}", "oflag=direct", "bs=4096", "count=500")
            .Require();
        disk.CutPower();
        disk.Restore();

        int kept = Enumerable.Range(0, 500)
            .Count(index => ReadDirect(disk.DevicePath, index).Any(c => c != '\0'));
        Assert.InRange(kept, 150, 450);
    }

    [HostFact]
    public void A_file_system_over_an_nbd_export_is_clean_after_it_was_unmounted()
    {
        using var lab = new Lab.Lab();
        string file = BackingFile.Create(Path.Combine(lab.Directory, "disk"), 512L << 20);
        string socket = Path.Combine(lab.Directory, "nbd.socket");
        lab.Start("nbdkit", "nbdkit", "--foreground", "--unix", socket, "file", file);
        Wait.For("nbdkit to listen", 10, () => File.Exists(socket));
        foreach (string type in (string[])["ext4", "xfs"])
        {
            NbdBlockDevice device = NbdBlockDevice.Attach(lab, type, socket);
            FileSystem.Make(device.Path, type);
            FileSystem mounted = FileSystem.Mount(lab, type, device.Path, type);
            File.WriteAllText(Path.Combine(mounted.MountPoint, "hello"), type);
            mounted.Unmount();
            Assert.True(FileSystem.Check(device.Path, type).Succeeded);
            device.Detach();
        }
    }

    [HostFact]
    public void A_file_system_ends_with_its_unmount_though_another_lab_started_a_program_meanwhile()
    {
        using var lab = new Lab.Lab();
        using var other = new Lab.Lab();
        string file = BackingFile.Create(Path.Combine(lab.Directory, "disk"), 512L << 20);
        LoopDevice loop = LoopDevice.Attach(lab, file);
        FileSystem.Make(loop.Path, "xfs");
        FileSystem mounted = FileSystem.Mount(lab, "one", loop.Path, "xfs");

        // It gets a mount namespace of its own, with a copy of every mount.
        LabProcess idle = other.A.Start("idle", "tail", "-f", "/dev/null");
        Wait.For("the program to have its own mounts", 10, () =>
            File.ReadAllText($"/proc/{idle.Id}/cmdline").StartsWith("tail", StringComparison.Ordinal));
        mounted.Unmount();

        Assert.True(FileSystem.Check(loop.Path, "xfs").Succeeded);
        Assert.DoesNotContain(
            mounted.MountPoint, File.ReadAllText($"/proc/{idle.Id}/mounts"), StringComparison.Ordinal);
        loop.Detach();
    }

    [HostFact]
    public void A_lab_leaves_nothing_behind()
    {
        string id;
        string device;
        using (var lab = new Lab.Lab())
        {
            id = lab.Id;
            var disk = new VolatileDisk(lab, "gone", 64 << 20, evictPercent: 0);
            device = disk.DevicePath;
            FileSystem.Make(device, "ext4");
            FileSystem.Mount(lab, "gone", device, "ext4");
            lab.A.Start("idle", "tail", "-f", "/dev/null");
        }

        Assert.DoesNotContain(id, Tool.Run("ip", "netns", "list").Output, StringComparison.Ordinal);
        Assert.DoesNotContain(id, File.ReadAllText("/proc/mounts"), StringComparison.Ordinal);
        Assert.DoesNotContain(id, Tool.Run("losetup", "--list").Output, StringComparison.Ordinal);
        Assert.DoesNotContain(id, Tool.Run("ps", "-e", "-o", "args").Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(Path.GetTempPath(), "mirrord-lab", id)));
    }

    private static void MendProduction(Lab.Lab lab)
    {
        lab.Production.Mend();
        Wait.For("the production network to work again", 10, () => lab.Client.Pings(lab.A.ProductionAddress));
    }

    private static bool Received(Host host, Action action)
    {
        long before = EchoesReceived(host);
        action();
        return EchoesReceived(host) > before;
    }

    // netstat's Icmp InMsgs: ARP and IPv6 go their own ways.
    private static long EchoesReceived(Host host)
    {
        string line = host.Run("grep", "^Icmp:", "/proc/net/snmp").Require().Output.Split('\n')[1];
        return long.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static void WriteDirect(string device, string text, int blockIndex, params string[] flags)
    {
        string input = Path.GetTempFileName();
        try
        {
            byte[] bytes = new byte[4096];
            System.Text.Encoding.ASCII.GetBytes(text, bytes);
            File.WriteAllBytes(input, bytes);
            string direct = flags.Contains("oflag=dsync") ? "oflag=direct,dsync" : "oflag=direct";
            string[] others = [.. flags.Where(flag => !flag.StartsWith("oflag", StringComparison.Ordinal))];
            Tool.Run(
                "dd",
                [$"if={input}", $"of={device}", "bs=4096", "count=1", $"seek={blockIndex}", direct,
                    .. others])
                .Require();
        }
        finally
        {
            File.Delete(input);
        }
    }

    private static string ReadDirect(string device, int blockIndex)
    {
        using var stream = new FileStream(device, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        stream.Position = blockIndex * 4096L;
        byte[] block = new byte[4096];
        stream.ReadExactly(block);
        return System.Text.Encoding.Latin1.GetString(block);
    }
}
