namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Parts of the kernel that use a device: other block devices and swap.</summary>
internal static class KernelUsers
{
    /// <summary>Block devices made of it: device-mapper, md.</summary>
    public static IEnumerable<string> Holders(UsedDevice device, string root)
    {
        foreach (string path in SystemFile.List(Path.Combine(device.Directory, "holders")).Order())
        {
            string name = Path.GetFileName(path);
            string described = Path.Combine(root, "sys/class/block", name);
            string? mapped = SystemFile.TryRead(Path.Combine(described, "dm/name"))?.Trim();
            yield return mapped is not null ? $"used by device-mapper {name} ({mapped})"
                : Directory.Exists(Path.Combine(described, "md")) ? $"used by the array {name}"
                : $"used by {name}";
        }
    }

    /// <summary>
    /// File systems on it, whether or not a mount point shows them: each has a directory in sysfs until the last of its
    /// files is closed (Documentation/ABI/testing/sysfs-fs-ext4, -xfs, -f2fs, -btrfs).
    /// </summary>
    public static IEnumerable<string> FileSystems(UsedDevice device, string root)
    {
        string fs = Path.Combine(root, "sys/fs");
        bool IsBtrfs() => SystemFile.List(Path.Combine(fs, "btrfs"))
            .Any(one => Path.Exists(Path.Combine(one, "devices", device.Name)));
        return ((string[])["ext4", "xfs", "f2fs"])
            .Where(kind => Directory.Exists(Path.Combine(fs, kind, device.Name)))
            .Concat(IsBtrfs() ? ["btrfs"] : [])
            .Select(kind => $"held by a file system ({kind}) that was unmounted with '-l' while files in it are open, or "
                + "is mounted where no program is");
    }

    /// <summary>Targets of iSCSI and the like, and of NVMe, that serve it (configfs of target_core_mod and nvmet).</summary>
    public static IEnumerable<string> Targets(UsedDevice device, string root)
    {
        string config = Path.Combine(root, "sys/kernel/config");
        IEnumerable<string> Below(params string[] levels) => levels.Aggregate(
            (IEnumerable<string>)[config],
            (directories, level) => level == "*"
                ? directories.SelectMany(SystemFile.List)
                : directories.Select(directory => Path.Combine(directory, level)));
        bool Names(string file) =>
            SystemFile.TryRead(file)?.Trim() is { Length: > 0 } path && UsedDevice.NameOf(path, root) == device.Name;
        return Below("target", "core", "*", "*", "udev_path").Where(Names).Select(_ => "used by a target (targetcli)")
            .Concat(Below("nvmet", "subsystems", "*", "namespaces", "*", "device_path").Where(Names)
                .Select(_ => "used by an NVMe target (nvmetcli)"));
    }

    /// <summary>Loop devices over it, which are no holders of it.</summary>
    public static IEnumerable<string> LoopDevices(UsedDevice device, string root)
    {
        foreach (string path in SystemFile.List(Path.Combine(root, "sys/class/block")).Order())
        {
            string? backing = SystemFile.TryRead(Path.Combine(path, "loop/backing_file"))?.TrimEnd('\n');
            if (backing == $"/dev/{device.Name}")
            {
                yield return $"used by loop device {Path.GetFileName(path)}";
            }
        }
    }

    /// <summary>Swap on it (proc_swaps(5)).</summary>
    public static IEnumerable<string> Swap(UsedDevice device, string root)
    {
        string[] lines = SystemFile.TryRead(Path.Combine(root, "proc/swaps"))?.Split('\n') ?? [];
        return lines.Any(line => SystemFile.Unescape(line.Split(' ', '\t')[0]) == $"/dev/{device.Name}")
            ? ["used as swap"]
            : [];
    }
}
