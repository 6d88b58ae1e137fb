using System.Globalization;
using System.Text.Json;
using MirrorD.Lab;
using MirrorD.Machines.Agent;
using MirrorD.Machines.Product;

namespace MirrorD.Machines.Tests;

/// <summary>A source that loses power in the middle of a resync to a thin logical volume.</summary>
public sealed class ThinSnapshotTests
{
    private const int Mebibytes = 40;
    private const string Snapshot = "/dev/data/mail-mirrord-snapshot";

    [MachineFact]
    public void The_copy_from_before_the_resync_comes_back_from_a_thin_snapshot()
    {
        using var pair = new MirroredPair(new PairChoices
        {
            Device = "/dev/data/mail",
            SetUp = machine => machine.Shell(
                $"set -e; vgcreate -q data {machine.DiskPath(MirroredPair.DiskName)}; lvcreate -q -L 136M -T data/pool; "
                + "lvcreate -q -V 60M -T data/pool -n mail", 240).Require(),
            ResourceLines = ["on-peer-loss: continue", "resync-rate: 1MiB/s"],
        });
        (Machine a, Machine b) = (pair.Lab.A, pair.Lab.B);
        Write(a);
        string before = Sum(b, "/dev/data/mail");
        Assert.Equal(before, Sum(a, MirroredPair.DevicePath));

        b.RunWithin(240, "systemctl", "stop", "mirrord").Require();
        Write(a);
        b.RunWithin(240, "systemctl", "start", "mirrord").Require();
        Wait.For("a part to be copied", 240, () => Sent(pair, a) > 12 << 20, pair.Describe);
        Assert.Equal(before, Sum(b, Snapshot));
        a.PowerCut();
        Wait.For("b to miss its source", 240, () => pair.Status(b, "link") == "Disconnected", pair.Describe);
        Assert.NotEqual(before, Sum(b, "/dev/data/mail"));

        pair.Control(b, "revert", MirroredPair.Resource).Require();
        Assert.Equal(before, Sum(b, "/dev/data/mail"));
        Wait.For("the snapshot to be removed", 240, () => !b.Run("test", "-e", Snapshot).Succeeded, pair.Describe);
        pair.Control(b, "promote", MirroredPair.Resource, "--force", "--yes").Require();
        pair.WaitForDevice(b);
        Assert.Equal(before, Sum(b, MirroredPair.DevicePath));
    }

    private static void Write(Machine machine) => machine.RunWithin(
        240, "dd", "if=/dev/urandom", $"of={MirroredPair.DevicePath}", "bs=1M", $"count={Mebibytes}", "oflag=direct",
        "conv=fsync", "status=none").Require();

    private static string Sum(Machine machine, string device) => machine.Shell(
        string.Create(CultureInfo.InvariantCulture,
            $"dd if={device} bs=1M count={Mebibytes} iflag=direct status=none | sha256sum"),
        240).Require().Output;

    private static long Sent(MirroredPair pair, Machine machine) =>
        pair.Status(machine, "resync") is { Length: > 0 } resync
            ? JsonDocument.Parse(resync).RootElement.GetProperty("sentBytes").GetInt64() : 0;
}
