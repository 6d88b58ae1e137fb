using System.Globalization;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>A block device whose users are looked for.</summary>
/// <param name="Name">As the kernel calls it, e.g. nbd0p1.</param>
/// <param name="Directory">Where sysfs describes it.</param>
/// <param name="Number">Major and minor number, as "43:0".</param>
/// <param name="Partition">Null, or "partition" and the name, to begin a clause with.</param>
internal sealed record UsedDevice(string Name, string Directory, string Number, string? Partition)
{
    public uint Major => Part(0);

    public uint Minor => Part(1);

    /// <summary>The device, then each of its partitions.</summary>
    public static IEnumerable<UsedDevice> WithPartitions(string devicePath, string root)
    {
        string name = NameOf(devicePath, root);
        string directory = Path.Combine(root, "sys/class/block", name);
        yield return Read(name, directory, null)
            ?? throw new IOException($"There is no block device {devicePath}.");

        foreach (string below in System.IO.Directory.EnumerateDirectories(directory).Order())
        {
            string partition = Path.GetFileName(below);
            if (File.Exists(Path.Combine(below, "partition"))
                && Read(partition, below, $"partition {partition}") is { } found)
            {
                yield return found;
            }
        }
    }

    /// <summary>What the kernel calls the device of a node or of a link to it.</summary>
    public static string NameOf(string devicePath, string root)
    {
        string node = Path.Combine(root, devicePath.TrimStart('/'));
        try
        {
            return Path.GetFileName(File.ResolveLinkTarget(node, returnFinalTarget: true)?.FullName ?? node);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return Path.GetFileName(node); // sysfs has the device whether or not there is a node.
        }
    }

    private static UsedDevice? Read(string name, string directory, string? partition) =>
        SystemFile.TryRead(Path.Combine(directory, "dev"))?.Trim() is { } number
        && number.Split(':') is { Length: 2 } parts && parts.All(part => uint.TryParse(part, out _))
            ? new UsedDevice(name, directory, number, partition)
            : null;

    private uint Part(int index) => uint.Parse(Number.Split(':')[index], CultureInfo.InvariantCulture);
}
