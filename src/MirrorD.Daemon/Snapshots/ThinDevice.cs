namespace MirrorD.Daemon.Snapshots;

/// <summary>
/// The kernel's device of a thin logical volume, by sysfs alone (Documentation/ABI/testing/sysfs-block-dm): LVM's devices
/// have "LVM-" before their uuid, and a thin one lies on the one that LVM calls "-tpool".
/// </summary>
internal static class ThinDevice
{
    /// <summary>Its path as LVM takes it; null when it is something else.</summary>
    public static string? Find(string path) => Find(path, "/sys/class/block");

    /// <summary>The same with another directory than /sys/class/block.</summary>
    public static string? Find(string path, string blocks)
    {
        string device = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        string directory = Path.Combine(blocks, Path.GetFileName(device));
        string slaves = Path.Combine(directory, "slaves");
        return Read(directory, "uuid").StartsWith("LVM-", StringComparison.Ordinal) && Directory.Exists(slaves)
            && Directory.EnumerateFileSystemEntries(slaves).Any(below =>
                Read(Path.Combine(blocks, Path.GetFileName(below)), "uuid").EndsWith("-tpool", StringComparison.Ordinal))
                ? "/dev/mapper/" + Read(directory, "name") : null;
    }

    private static string Read(string directory, string name)
    {
        string file = Path.Combine(directory, "dm", name);
        return File.Exists(file) ? File.ReadAllText(file).Trim() : "";
    }
}
