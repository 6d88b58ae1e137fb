using System.Diagnostics;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Io.Tests.Linux;

public sealed class NbdDevicesUsersTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Nobody_uses_a_device_that_is_only_there()
    {
        Device();
        Assert.Empty(Users());
    }

    [Fact]
    public void A_device_that_is_not_there_is_an_error()
    {
        IOException error = Assert.Throws<IOException>(Users);
        Assert.Contains("/dev/nbd0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mounts_are_told_once_with_their_names_decoded()
    {
        Device();
        string[] lines =
        [
            @"36 35 43:0 / /srv/my\040data\134x rw,noatime master:1 - ext4 /dev/nbd0 rw",
            @"37 35 43:0 /sub /srv/gr\303\274n rw - ext4 /dev/nbd0 rw",
            @"38 35 43:1 / /other rw - ext4 /dev/nbd1 rw",
            @"39 35 0:52 / /srv/pool rw shared:2 master:3 - btrfs /dev/nbd0 rw",
            @"40 35 0:53 / /tmp rw - tmpfs tmpfs rw",
            @"garbage",
        ];
        Text("proc/1/mountinfo", string.Join('\n', lines));
        Text("proc/self/mountinfo", lines[0]);
        Assert.Equal([@"mounted at /srv/my data\x", "mounted at /srv/grün", "mounted at /srv/pool"], Users());
    }

    [Fact]
    public void A_mount_in_a_namespace_of_others_names_a_process_in_it()
    {
        Device();
        Link("proc/1/ns/mnt", "mnt:[1]");
        Link("proc/self/ns/mnt", "mnt:[1]");
        foreach (int process in new[] { 100, 900, 901 })
        {
            Link($"proc/{process}/ns/mnt", process == 100 ? "mnt:[1]" : "mnt:[2]");
            Text($"proc/{process}/comm", $"nginx{process}\n");
            Text($"proc/{process}/mountinfo", $"36 35 43:0 / /in{process} rw - ext4 /dev/nbd0 rw\n");
        }

        Text("proc/1/mountinfo", "");
        Assert.Equal(["mounted at /in900 in the mount namespace of nginx900 (pid 900)"], Users());
    }

    [Fact]
    public void Holders_are_told_with_the_names_people_know()
    {
        Device();
        Text("sys/class/block/nbd0/holders/dm-3/x", "");
        Text("sys/class/block/dm-3/dm/name", "vg-data\n");
        Text("sys/class/block/nbd0/holders/md0/x", "");
        Text("sys/class/block/md0/md/level", "raid1\n");
        Text("sys/class/block/nbd0/holders/bcache0/x", "");
        Text("sys/class/block/loop5/loop/backing_file", "/dev/nbd0\n");
        Text("sys/class/block/loop6/loop/backing_file", "/dev/nbd00\n");
        Assert.Equal(
            [
                "used by bcache0", "used by device-mapper dm-3 (vg-data)", "used by the array md0",
                "used by loop device loop5",
            ],
            Users());
    }

    [Fact]
    public void Swap_is_told()
    {
        Device();
        const string header = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
        Text("proc/swaps", $"{header}/dev/nbd1 partition\t65532\t0\t-2\n");
        Assert.Empty(Users());
        Text("proc/swaps", $"{header}/dev/nbd0 partition\t65532\t0\t-2\n");
        Assert.Equal(["used as swap"], Users());
    }

    [Fact]
    public void Users_of_a_partition_use_the_device()
    {
        Device();
        Text("sys/class/block/nbd0/nbd0p1/partition", "1\n");
        Text("sys/class/block/nbd0/nbd0p1/dev", "43:1\n");
        Text("proc/1/mountinfo", "36 35 43:1 / /srv rw - ext4 /dev/nbd0p1 rw\n");
        Assert.Equal(["partition nbd0p1 mounted at /srv"], Users());
    }

    [Fact]
    public void A_link_to_a_device_stands_for_it()
    {
        Device();
        Text("dev/nbd0", "");
        Link("dev/mirrord/r0/vol", "../../nbd0");
        Text("proc/1/mountinfo", "36 35 43:0 / /srv rw - ext4 /dev/mirrord/r0/vol rw\n");
        Assert.Equal(["mounted at /srv"], DeviceUsers.Of("/dev/mirrord/r0/vol", _directory.Path));
    }

    [RootFact("losetup", "mkfs.ext4", "mount", "umount")]
    public void A_real_device_tells_its_mounts_and_the_processes_that_have_it_open()
    {
        using var device = new LoopDevice(_directory.File("disk"), 16 * 1024 * 1024, 512);
        Command.Run("mkfs.ext4", "-q", device.Path);
        WaitUntilUnused(device.Path);
        string mountPoint = Directory.CreateDirectory(_directory.File("a point")).FullName;
        Command.Run("mount", device.Path, mountPoint);
        try
        {
            // In a changed root directory it has a second path.
            IReadOnlyList<string> mounts = DeviceUsers.Of(device.Path);
            Assert.Contains($"mounted at {mountPoint}", mounts);
            Assert.All(mounts, mount => Assert.StartsWith("mounted at ", mount, StringComparison.Ordinal));
            using FileStream opened = File.OpenRead(device.Path);
            string open = Assert.Single(DeviceUsers.Of(device.Path), use => !mounts.Contains(use));
            Assert.StartsWith("open by ", open, StringComparison.Ordinal);
            Assert.EndsWith($" (pid {Environment.ProcessId})", open, StringComparison.Ordinal);
        }
        finally
        {
            Command.Run("umount", mountPoint);
        }

        WaitUntilUnused(device.Path);
    }

    [RootFact("losetup", "mkfs.ext4", "mount", "umount")]
    public void A_file_system_that_was_unmounted_lazily_holds_its_device_until_its_last_file_is_closed()
    {
        using var device = new LoopDevice(_directory.File("disk"), 16 * 1024 * 1024, 512);
        Assert.Empty(DeviceUsers.Unseen(device.Path));
        Command.Run("mkfs.ext4", "-q", device.Path);
        WaitUntilUnused(device.Path);
        string mountPoint = Directory.CreateDirectory(_directory.File("a point")).FullName;
        Command.Run("mount", device.Path, mountPoint);
        using (File.Create(Path.Combine(mountPoint, "file")))
        {
            Command.Run("umount", "--lazy", mountPoint);
            Assert.Empty(DeviceUsers.Of(device.Path));
            Assert.StartsWith(
                "held by a file system (ext4)", Assert.Single(DeviceUsers.Unseen(device.Path)), StringComparison.Ordinal);
        }

        bool isFree = SpinWait.SpinUntil(() => DeviceUsers.Unseen(device.Path).Count == 0, TimeSpan.FromSeconds(20));
        Assert.True(isFree, "waited 20 s for the file system to let go of its device");
    }

    [Theory]
    [InlineData("sys/fs/ext4/nbd0/session_write_kbytes", "0", "held by a file system (ext4)")]
    [InlineData("sys/fs/xfs/nbd0/stats/stats", "0", "held by a file system (xfs)")]
    [InlineData("sys/fs/btrfs/4a6f/devices/nbd0/size", "0", "held by a file system (btrfs)")]
    [InlineData("sys/kernel/config/target/core/iblock_0/mail/udev_path", "/dev/nbd0\n", "used by a target")]
    [InlineData("sys/kernel/config/target/core/iblock_0/mail/udev_path", "/dev/mirrord/r0/vol\n", "used by a target")]
    [InlineData("sys/kernel/config/nvmet/subsystems/m/namespaces/1/device_path", "/dev/nbd0\n", "used by an NVMe target")]
    public void What_the_kernel_does_with_a_device_behind_the_tables_is_found(string file, string text, string use)
    {
        Device();
        Text("dev/nbd0", "");
        Link("dev/mirrord/r0/vol", "../../nbd0");
        Text("sys/fs/ext4/features/lazy_init", "supported");
        Text("sys/kernel/config/target/core/alua/lu_gps", "");
        Text("sys/kernel/config/target/core/fileio_1/other/udev_path", "/srv/other.img");
        Assert.Empty(DeviceUsers.Unseen("/dev/mirrord/r0/vol", _directory.Path));

        Text(file, text);
        Assert.StartsWith(
            use, Assert.Single(DeviceUsers.Unseen("/dev/mirrord/r0/vol", _directory.Path)), StringComparison.Ordinal);
    }

    [RootFact("losetup", "mkfs.ext4", "mount", "unshare")]
    public void A_real_mount_in_a_namespace_of_its_own_is_found()
    {
        using var device = new LoopDevice(_directory.File("disk"), 16 * 1024 * 1024, 512);
        Command.Run("mkfs.ext4", "-q", device.Path);
        string mountPoint = Directory.CreateDirectory(_directory.File("point")).FullName;
        string script = $"mount {device.Path} {mountPoint} && echo ready && read end";
        var start = new ProcessStartInfo("unshare", ["--mount", "sh", "-c", script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using Process other = Process.Start(start)!;
        Assert.Equal("ready", other.StandardOutput.ReadLine());
        Assert.Contains(
            $"mounted at {mountPoint} in the mount namespace of sh (pid {other.Id})",
            DeviceUsers.Of(device.Path));
        other.StandardInput.WriteLine();
        other.WaitForExit();
        WaitUntilUnused(device.Path);
    }

    // Probes of udev, where it runs, end by themselves.
    private static void WaitUntilUnused(string path)
    {
        IReadOnlyList<string> users = [];
        bool isUnused = SpinWait.SpinUntil(
            () => (users = DeviceUsers.Of(path)).Count == 0, TimeSpan.FromSeconds(20));
        Assert.True(isUnused, $"waited 20 s for {path} to be unused: {string.Join(", ", users)}");
    }

    private IReadOnlyList<string> Users() => DeviceUsers.Of("/dev/nbd0", _directory.Path);

    private void Device() => Text("sys/class/block/nbd0/dev", "43:0\n");

    private void Text(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory.File(path))!);
        File.WriteAllText(_directory.File(path), text);
    }

    private void Link(string path, string target)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_directory.File(path))!);
        File.CreateSymbolicLink(_directory.File(path), target);
    }
}
