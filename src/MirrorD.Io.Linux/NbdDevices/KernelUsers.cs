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
