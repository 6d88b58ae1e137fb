using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>A split brain of two nodes that both served a file system.</summary>
public sealed class SplitBrainTests : PairTest
{
    [HostTheory]
    [InlineData("ext4", "noload")]
    [InlineData("xfs", "norecovery,nouuid")]
    public void What_is_to_be_given_up_is_mounted_read_only_first_and_then_given_up(string type, string withoutJournal)
    {
        // Its smallest file system has 300 MiB.
        long diskBytes = type == "xfs" ? 384L << 20 : 64L << 20;
        Pair pair = StartPair(new PairOptions { OnPeerLoss = "continue", DiskBytes = diskBytes });
        NbdBlockDevice device = NbdBlockDevice.Attach(Lab, "a", pair.A.Export());
        FileSystem.Make(device.Path, type);
        device.Detach();
        WriteFile(pair.A, "before", type);
        WaitUntilIdentical(pair);

        Lab.Link.Cut();
        Lab.Production.Unplug(pair.A.Host);
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        pair.B.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        WriteFile(pair.A, "only-on-a", type);
        pair.B.Control("promote", Pair.ResourceName, "--force", "--yes").Require();
        WriteFile(pair.B, "only-on-b", type);
        string refusal = pair.B.Control("split-brain", "export", Pair.ResourceName).Error;
        Assert.Contains("Primary", refusal, StringComparison.Ordinal);
        pair.B.Control("demote", Pair.ResourceName).Require();
        Lab.MendNetworks();
        pair.B.WaitFor("to find the split", 30, view => view.HoldUp == "SplitBrain");
        pair.A.WaitFor("to find the split", 30, view => view.HoldUp == "SplitBrain");

        // What is shown stands in stored events and maps, not in a daemon's memory.
        string ofB = ShownOf(pair, "b");
        Assert.Matches("b: Standby, UpToDate; alone since 2.*; changed since the split: [1-9]", ofB);
        pair.B.Daemon.Kill();
        pair.B.StartAndWait();
        pair.B.WaitFor("to find the split again", 30, view => view.HoldUp == "SplitBrain");
        pair.A.WaitFor("to find the split again", 30, view => view.HoldUp == "SplitBrain");
        Assert.Equal(ofB, ShownOf(pair, "b"));

        string shown = pair.A.Control("split-brain", "show", Pair.ResourceName).Require().Output;
        Assert.Contains($"mirrorctl split-brain export {Pair.ResourceName}", shown, StringComparison.Ordinal);
        string socket = pair.B.Export()[..^"nbd".Length] + "copy";
        string uri = pair.B.Control("split-brain", "export", Pair.ResourceName).Require().Output.Split('\n')[0];
        Assert.Equal($"nbd+unix:///{Pair.ResourceName}/data?socket={socket}", uri);

        Assert.Contains("is_read_only: true", NbdTools.Info(socket).Require().Output, StringComparison.Ordinal);
        Assert.False(NbdTools.QemuIo(socket, "write -P 7 0 64k").Succeeded);
        Assert.False(Tool.Run("nbdcopy", "/dev/zero", uri).Succeeded);
        AssertHolds(pair, uri);
        LabProcess fuse = ReadFiles(uri, type, withoutJournal);
        AssertHolds(pair, uri);

        pair.A.Control("split-brain", "resolve", Pair.ResourceName, "--discard", "b", "--yes").Require();
        Assert.False(File.Exists(socket));
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
        Assert.Contains("copy-export-ended", pair.B.Control("events").Require().Output, StringComparison.Ordinal);
        Assert.False(NbdTools.Info(socket).Succeeded);
        fuse.Terminate();
        Assert.Equal(["before", "only-on-a"], Files(pair.A, type));
    }

    [HostFact]
    public void By_policy_a_standby_that_is_read_waits_and_then_gives_way_to_the_primary()
    {
        Pair pair = StartPair(new PairOptions
        {
            OnPeerLoss = "continue",
            DiskBytes = 64L << 20,
            ResourceLines = ["split-brain: discard-standby"],
        });
        Lab.Link.Cut();
        Lab.Production.Unplug(pair.A.Host);
        pair.A.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        pair.B.WaitFor("to miss its peer", 20, view => view.Link == "Disconnected");
        NbdTools.QemuIo(pair.A.Export(), "write -P 1 0 64k", "flush").Require();
        pair.B.Control("promote", Pair.ResourceName, "--force", "--yes").Require();
        NbdTools.QemuIo(pair.B.Export(), "write -P 2 32k 64k", "flush").Require();
        pair.B.Control("demote", Pair.ResourceName).Require();
        pair.B.Control("split-brain", "export", Pair.ResourceName).Require();
        Lab.MendNetworks();
        pair.B.WaitFor("to find the split", 30, view => view.HoldUp == "SplitBrain");
        Assert.Contains("open for reading", pair.B.Status().ToString(), StringComparison.Ordinal);

        pair.B.Control("split-brain", "unexport", Pair.ResourceName).Require();
        pair.WaitUntilJoined(60);
        WaitUntilIdentical(pair);
        NbdTools.QemuIo(pair.A.Export(), "read -P 1 0 64k", "read -P 0 64k 32k").Require();
        foreach (Node node in (Node[])[pair.A, pair.B])
        {
            Assert.Matches(
                "split-brain-resolved .*by the policy discard-standby the copy of b gives way, with 16 blocks of 4096 bytes "
                    + "that it had changed since the split; .*; this node was alone since 2",
                node.Control("events").Require().Output);
        }
    }

    private static string ShownOf(Pair pair, string node) =>
        pair.A.Control("split-brain", "show", Pair.ResourceName).Require().Output.Split('\n')
            .Single(line => line.StartsWith($"  {node}: ", StringComparison.Ordinal));

    /// <summary>What is read is the data on the disk of b, byte for byte.</summary>
    private void AssertHolds(Pair pair, string uri)
    {
        string image = Path.Combine(Lab.Directory, "image");
        File.Delete(image);
        NbdTools.Copy(uri, image).Require();
        long length = pair.B.Status().LengthBytes("data");
        Assert.Equal(length, new FileInfo(image).Length);
        Tool.Run("cmp", "-n", $"{length}", image, pair.B.Disk()).Require();
    }

    /// <summary>As the manual says it; nbdfuse stays.</summary>
    private LabProcess ReadFiles(string uri, string type, string withoutJournal)
    {
        string folder = Lab.MountPoint("copy");
        string file = $"{folder}/disk";
        LabProcess fuse = Lab.Start("nbdfuse-copy", "nbdfuse", "--readonly", file, uri);
        Wait.For("nbdfuse to show the copy", 15, () => File.Exists(file), () => fuse.Tail());
        Lab.AtEnd(() => Tool.Run("umount", "--lazy", folder));
        string mountPoint = Lab.MountPoint("fs-copy");
        Tool.Run("mount", "-t", type, "-o", $"ro,loop,{withoutJournal}", file, mountPoint).Require();
        Lab.AtEnd(() => Tool.Run("umount", mountPoint));
        Assert.Equal("only-on-b", File.ReadAllText(Path.Combine(mountPoint, "only-on-b")));
        Assert.False(File.Exists(Path.Combine(mountPoint, "only-on-a")));
        Assert.Throws<IOException>(() => File.WriteAllText(Path.Combine(mountPoint, "new"), ""));
        Tool.Run("umount", mountPoint).Require();
        return fuse;
    }

    private void WriteFile(Node node, string name, string type) => Mounted(node, type, mountPoint =>
    {
        File.WriteAllText(Path.Combine(mountPoint, name), name);
        Tool.Run("sync", "-f", mountPoint).Require();
    });

    private string[] Files(Node node, string type)
    {
        string[] files = [];
        Mounted(node, type, mountPoint => files =
            [.. Directory.GetFiles(mountPoint).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)]);
        return files;
    }

    private void Mounted(Node node, string type, Action<string> use)
    {
        NbdBlockDevice device = NbdBlockDevice.Attach(Lab, node.Name, node.Export());
        FileSystem mounted = FileSystem.Mount(Lab, node.Name, device.Path, type);
        use(mounted.MountPoint);
        mounted.Unmount();
        device.Detach();
    }
}
