using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>
/// An NBD export as a block device on a kernel without nbd: nbdfuse shows it as a file, a loop device makes
/// that a disk. Flushes and FUA reach the export.
/// </summary>
public sealed class NbdBlockDevice
{
    private readonly LabProcess _fuse;
    private readonly LoopDevice _loop;
    private readonly string _mountPoint;

    private NbdBlockDevice(LabProcess fuse, LoopDevice loop, string mountPoint)
    {
        _fuse = fuse;
        _loop = loop;
        _mountPoint = mountPoint;
    }

    /// <summary>The device, e.g. /dev/loop3.</summary>
    public string Path => _loop.Path;

    /// <summary>Connects the export on a unix socket.</summary>
    public static NbdBlockDevice Attach(Lab lab, string name, string socket)
    {
        string mountPoint = lab.MountPoint($"fuse-{name}");
        LabProcess fuse = lab.Start($"nbdfuse-{name}", "nbdfuse", $"{mountPoint}/disk", "--unix", socket);
        string file = $"{mountPoint}/disk";
        Wait.For($"nbdfuse to show {name}", 15, () => IsShown(fuse, file), () => fuse.Tail());
        LoopDevice loop = LoopDevice.Attach(lab, file);
        var device = new NbdBlockDevice(fuse, loop, mountPoint);
        lab.AtEnd(device.Detach);
        return device;
    }

    /// <summary>Takes the device away; for a clean end its file system is unmounted before.</summary>
    public void Detach()
    {
        _loop.Detach();
        if (_fuse.IsRunning)
        {
            _fuse.Terminate();
        }

        if (File.ReadAllText("/proc/mounts").Contains($" {_mountPoint} ", StringComparison.Ordinal))
        {
            Tool.Run("umount", _mountPoint);
        }
    }

    private static bool IsShown(LabProcess fuse, string file)
    {
        if (!fuse.IsRunning)
        {
            throw new InvalidOperationException($"nbdfuse ended\n{fuse.Tail()}");
        }

        return File.Exists(file);
    }
}
