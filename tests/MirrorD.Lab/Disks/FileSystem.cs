using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>ext4 or xfs on a block device.</summary>
public sealed class FileSystem
{
    private readonly string _devicePath;
    private readonly string _type;

    private FileSystem(string devicePath, string type, string mountPoint)
    {
        _devicePath = devicePath;
        _type = type;
        MountPoint = mountPoint;
    }

    /// <summary>Where it is mounted.</summary>
    public string MountPoint { get; }

    /// <summary>Makes a file system.</summary>
    /// <param name="devicePath">The device; what is on it is overwritten.</param>
    /// <param name="type">"ext4" or "xfs".</param>
    public static void Make(string devicePath, string type) =>
        Tool.Run(
            $"mkfs.{type}", type == "xfs" ? ["-q", "-f", devicePath]
            : ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", devicePath]).Require();

    /// <summary>Mounts a file system, which replays its journal.</summary>
    public static FileSystem Mount(Lab lab, string name, string devicePath, string type)
    {
        string mountPoint = lab.MountPoint($"fs-{name}");
        Tool.Run("mount", "-t", type, devicePath, mountPoint).Require();
        var mounted = new FileSystem(devicePath, type, mountPoint);
        lab.AtEnd(() => Tool.RunWithin(TimeSpan.FromSeconds(10), "umount", mountPoint));
        return mounted;
    }

    /// <summary>Checks an unmounted file system without changing it.</summary>
    public static ToolResult Check(string devicePath, string type) =>
        type == "xfs"
            ? Tool.Run("xfs_repair", "-n", devicePath)
            : Tool.Run("e2fsck", "-f", "-n", devicePath);

    /// <summary>Unmounts it.</summary>
    public void Unmount() => Tool.Run("umount", MountPoint).Require();

    /// <summary>Unmounts it though its device is gone: what was not written is lost.</summary>
    public void Abandon()
    {
        // A shut-down file system may refuse once while its last requests fail.
        Wait.For(
            $"{_type} on {_devicePath} to be unmounted", 20, () => Tool.Run("umount", MountPoint).Succeeded);
    }
}
