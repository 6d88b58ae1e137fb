using System.Security.Cryptography;
using MirrorD.Lab;
using MirrorD.Lab.Disks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests;

/// <summary>File systems on the mirrored volume, over the death of the primary.</summary>
public sealed class FileSystemTests : PairTest
{
    private const int Files = 60;

    [HostFact]
    public void Ext4_is_clean_with_all_synced_files_after_a_takeover() => FilesSurviveATakeover("ext4");

    [HostFact]
    public void Xfs_is_clean_with_all_synced_files_after_a_takeover() => FilesSurviveATakeover("xfs");

    private void FilesSurviveATakeover(string type)
    {
        Pair pair = StartPair(new PairOptions { DiskBytes = 512L << 20, Arbiter = true });
        NbdBlockDevice device = NbdBlockDevice.Attach(Lab, "primary", pair.A.Export());
        FileSystem.Make(device.Path, type);
        FileSystem mounted = FileSystem.Mount(Lab, "primary", device.Path, type);
        Dictionary<string, string> sums = WriteSyncedFiles(mounted.MountPoint);
        LabProcess writer = Lab.Start(
            "writer", "sh", "-c",
            $"i=0; while :; do i=$((i+1)); head -c 200000 /dev/urandom >{mounted.MountPoint}/w$i; done");
        Wait.For("writes to go on", 20, () => File.Exists($"{mounted.MountPoint}/w5"));

        // The whole host: without its daemon its kernel would still answer ARP.
        pair.A.Daemon.Kill();
        pair.A.Host.Run("ip", "link", "set", "prod", "down").Require();
        writer.Kill();
        mounted.Abandon();
        device.Detach();

        Pair.TakeOver(pair.B);
        NbdBlockDevice taken = NbdBlockDevice.Attach(Lab, "standby", pair.B.Export());
        FileSystem again = FileSystem.Mount(Lab, "standby", taken.Path, type);
        Assert.All(sums, pair => Assert.Equal(pair.Value, Sum(Path.Combine(again.MountPoint, pair.Key))));
        again.Unmount();
        ToolResult check = FileSystem.Check(taken.Path, type);
        Assert.True(check.Succeeded, $"{check.Output}{check.Error}\n{Lab.Logs(80)}");
        taken.Detach();
    }

    private static Dictionary<string, string> WriteSyncedFiles(string directory)
    {
        var sums = new Dictionary<string, string>();
        var random = new Random(5);
        for (int index = 0; index < Files; index++)
        {
            byte[] bytes = new byte[random.Next(1, 400_000)];
            random.NextBytes(bytes);
            string name = $"file-{index}";
            using (FileStream file = File.Create(Path.Combine(directory, name)))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            sums.Add(name, Convert.ToHexString(SHA256.HashData(bytes)));
        }

        // The names as well: fsync of a file need not cover its directory.
        Tool.Run("sync", "--file-system", directory).Require();
        return sums;
    }

    private static string Sum(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
}
