using MirrorD.Control.Output;

namespace MirrorD.Daemon.Tests.Cli;

/// <summary>The block devices that a host has of mirrord, without a daemon.</summary>
public sealed class DevicesTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Each_use_of_a_device_has_a_line_and_an_unused_device_one_of_its_own()
    {
        Device("nbd0", "mirrord:mail/data", "43:0");
        Device("nbd1", "mirrord:web/logs", "43:32");
        Device("nbd2", "somebody/else", "43:64");
        Text("proc/1/mountinfo", "36 35 43:0 / /srv rw - ext4 /dev/nbd0 rw\n");
        Text("proc/swaps", "Filename Type Size Used Priority\n/dev/nbd0 partition 1 0 -2\n");
        Text("sys/class/block/loop3/loop/backing_file", "/dev/nbd0\n");

        Assert.Equal(
            [
                "/dev/nbd0 mail/data mounted at /srv",
                "/dev/nbd0 mail/data used as swap",
                "/dev/nbd0 mail/data used by loop device loop3",
                "/dev/nbd1 web/logs -",
            ],
            DeviceLine.Of(_root.Root).Select(line => line.ToString()));
    }

    [Fact]
    public void A_device_that_goes_while_it_is_looked_at_has_no_line()
    {
        Text("sys/block/nbd0/backend", "mirrord:mail/data\n");
        Assert.Empty(DeviceLine.Of(_root.Root));
    }

    [Fact]
    public async Task A_host_without_devices_has_none_in_use()
    {
        MirrorctlRun run = await MirrorctlRun.Of("devices", "--check");
        Assert.Equal((0, "", ""), (run.ExitCode, run.Output, run.Error));
    }

    private void Device(string name, string backend, string number)
    {
        Text($"sys/block/{name}/backend", $"{backend}\n");
        Text($"sys/class/block/{name}/dev", $"{number}\n");
    }

    private void Text(string path, string text)
    {
        string file = _root.At(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
