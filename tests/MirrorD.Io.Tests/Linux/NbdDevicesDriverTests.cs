using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.NbdDevices;
using MirrorD.Io.Linux.Network;

namespace MirrorD.Io.Tests.Linux;

/// <summary>
/// What can be shown without the driver: the family that resolves others is always there, and so are those of
/// the network. Devices are shown in machines.
/// </summary>
public sealed class NbdDevicesDriverTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void A_family_is_resolved()
    {
        using var socket = new NetlinkSocket(Netlink.NETLINK_GENERIC);
        Assert.True(GenericNetlinkFamily.TryResolve(socket, "nlctrl", out GenericNetlinkFamily? family));
        Assert.Equal(Genetlink.GENL_ID_CTRL, family.Id);
    }

    [Fact]
    public void A_family_that_is_not_there_is_no_error()
    {
        using var socket = new NetlinkSocket(Netlink.NETLINK_GENERIC);
        Assert.False(GenericNetlinkFamily.TryResolve(socket, "mirrord-none", out _));
        Assert.True(GenericNetlinkFamily.TryResolve(socket, "nlctrl", out _));
    }

    [Fact]
    public void A_missing_driver_is_told_with_cause_after_one_try_to_load_it()
    {
        int loads = 0;
        bool isOpen = NbdDriver.TryOpen(
            "mirrord-none",
            () =>
            {
                loads++;
                return "no such module";
            },
            out NbdDriver? driver,
            out string? cause);
        Assert.False(isOpen);
        Assert.Null(driver);
        Assert.Equal(1, loads);
        Assert.Contains("nbd", cause, StringComparison.Ordinal);
    }

    [Fact]
    public void A_module_that_is_not_loaded_is_the_cause_with_the_reason_and_the_command()
    {
        string cause = NbdModule.CauseOfAbsence(_root.Path, "modprobe ended with 1: not found");
        Assert.Contains("not loaded (modprobe ended with 1: not found)", cause, StringComparison.Ordinal);
        Assert.Contains("'modprobe nbd nbds_max=0'", cause, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_network_namespace_is_the_cause_when_the_module_is_loaded()
    {
        Directory.CreateDirectory(_root.File("sys/module/nbd"));
        Link("proc/1/ns/net", "net:[4026531840]");
        Link("proc/self/ns/net", "net:[4026532999]");
        Assert.Contains("network namespace only, and this process has another",
            NbdModule.CauseOfAbsence(_root.Path, null), StringComparison.Ordinal);
        File.Delete(_root.File("proc/self/ns/net"));
        Link("proc/self/ns/net", "net:[4026531840]");
        Assert.Contains("not from a container",
            NbdModule.CauseOfAbsence(_root.Path, null), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("000001ffffffffff", false)]
    [InlineData("0000000000200000", false)]
    [InlineData("000001ffffdfffff", true)]
    [InlineData("0000000000000000", true)]
    public void A_process_without_CAP_SYS_ADMIN_is_refused(string capabilities, bool isRefused)
    {
        Directory.CreateDirectory(_root.File("proc/self"));
        File.WriteAllText(_root.File("proc/self/status"), $"Name:\tx\nCapEff:\t{capabilities}\nCapBnd:\t0\n");
        string? cause = NbdModule.CauseOfRefusal(_root.Path);
        Assert.Equal(isRefused, cause?.Contains("CAP_SYS_ADMIN", StringComparison.Ordinal) ?? false);
    }

    [Fact]
    public void What_the_loader_says_is_kept()
    {
        string program = _root.File("loader");
        File.WriteAllText(program, "#!/bin/sh\necho \"no module $1 $2\" >&2\nexit 3\n");
        Command.Run("chmod", "+x", program);
        Assert.Equal("modprobe ended with 3: no module nbd nbds_max=0", NbdModule.Run(program));
        Assert.Contains("could not be run", NbdModule.Run(_root.File("absent")), StringComparison.Ordinal);
        Assert.Null(NbdModule.Run("/bin/true"));
    }

    [Fact]
    public void Settings_are_written_and_the_largest_request_is_what_the_driver_allows()
    {
        Queue("nbd3", "1024");
        IReadOnlyList<string> warnings =
            new NbdQueueSettings { MaxRequestKiB = 4096 }.Apply(3, _root.Path);
        Assert.Empty(warnings);
        Assert.Equal("2000", Setting("nbd3", "io_timeout"));
        Assert.Equal("mq-deadline", Setting("nbd3", "scheduler"));
        Assert.Equal("1024", Setting("nbd3", "max_sectors_kb"));

        Queue("nbd4", "32768");
        var other = new NbdQueueSettings { MaxRequestKiB = 512, RequestTimeoutMs = 1000 };
        Assert.Empty(other.Apply(4, _root.Path));
        Assert.Equal("512", Setting("nbd4", "max_sectors_kb"));
        Assert.Equal("1000", Setting("nbd4", "io_timeout"));

        Queue("nbd5", "32768");
        Assert.Empty(new NbdQueueSettings().Apply(5, _root.Path));
        Assert.Equal("0", Setting("nbd5", "max_sectors_kb"));
    }

    [Fact]
    public void A_setting_that_is_made_already_is_not_written_again()
    {
        // Each write may hold up all requests of the device.
        Queue("nbd3", "1024");
        File.WriteAllText(_root.File("nbd3/queue/io_timeout"), "2000\n");
        File.WriteAllText(_root.File("nbd3/queue/max_sectors_kb"), "512\n");
        Assert.Empty(new NbdQueueSettings { MaxRequestKiB = 512 }.Apply(3, _root.Path));
        Assert.Equal("2000\n", Setting("nbd3", "io_timeout"));
        Assert.Equal("512\n", Setting("nbd3", "max_sectors_kb"));
    }

    [Fact]
    public void Each_setting_that_fails_is_named_and_the_others_are_made()
    {
        Queue("nbd3", "1024");
        File.Delete(_root.File("nbd3/queue/io_timeout"));
        File.Delete(_root.File("nbd3/queue/max_hw_sectors_kb"));
        IReadOnlyList<string> warnings =
            new NbdQueueSettings { MaxRequestKiB = 512 }.Apply(3, _root.Path);
        Assert.Equal(2, warnings.Count);
        Assert.Contains("queue/io_timeout could not be set to 2000", warnings[0], StringComparison.Ordinal);
        Assert.Contains("queue/max_hw_sectors_kb can't be read", warnings[1], StringComparison.Ordinal);
        Assert.Equal("512", Setting("nbd3", "max_sectors_kb"));
        Assert.False(File.Exists(_root.File("nbd3/queue/io_timeout")));
    }

    [Fact]
    public void Devices_with_a_backend_are_found_in_order_with_size_and_process()
    {
        Device("nbd10", ("backend", "r0/vol\n"), ("size", "8\n"), ("pid", "812\n"));
        Device("nbd2", ("backend", "other\n"), ("size", "131072\n"));
        Device("nbd1", ("size", "0\n"));
        Device("nbdx", ("backend", "no number\n"));
        Device("sda", ("backend", "no nbd\n"));
        Assert.Equal(
            [new NbdDevice(2, "other", 67108864, null, false), new NbdDevice(10, "r0/vol", 4096, 812, true)],
            NbdDeviceList.Read(_root.Path, new HashSet<int> { 10 }));
        Assert.Equal("/dev/nbd10", new NbdDevice(10, "", 0, null, true).DevicePath);
    }

    private void Queue(string device, string maxHardwareKiB) => Device(
        device, ("queue/io_timeout", "0"), ("queue/scheduler", "mq-deadline"), ("queue/max_sectors_kb", "0"),
        ("queue/max_hw_sectors_kb", $"{maxHardwareKiB}\n"));

    private void Device(string name, params (string File, string Text)[] files)
    {
        foreach ((string file, string text) in files)
        {
            string path = _root.File($"{name}/{file}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }
    }

    private string Setting(string device, string name) =>
        File.ReadAllText(_root.File($"{device}/queue/{name}"));

    private void Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_root.File(path))!);
        File.CreateSymbolicLink(_root.File(path), target);
    }
}
