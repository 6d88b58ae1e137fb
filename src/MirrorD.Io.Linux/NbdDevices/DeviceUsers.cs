using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>
/// Who uses a block device, for the message that refuses to end it. A look, not a lock: somebody may open the
/// device right afterwards, and udev opens it for an instant whenever it changed.
/// </summary>
public static class DeviceUsers
{
    /// <summary>Looks for users of the device and of its partitions.</summary>
    /// <param name="devicePath">Its node, or a link to it.</param>
    /// <param name="root">/, or a directory that stands for it.</param>
    /// <returns>
    /// Clauses, e.g. "mounted at /srv/data", "used by device-mapper dm-3 (vg-data)", "open by fio (pid 812)";
    /// empty: nobody was found. Processes that this one may not look into are not found.
    /// </returns>
    /// <exception cref="IOException">There is no such device.</exception>
    public static IReadOnlyList<string> Of(string devicePath, string root = "/")
    {
        UsedDevice[] devices = [.. UsedDevice.WithPartitions(devicePath, root)];
        List<string> clauses = [];
        foreach (UsedDevice device in devices)
        {
            IEnumerable<string> uses =
            [
                .. MountUsers.Of(device, root),
                .. KernelUsers.Swap(device, root),
                .. KernelUsers.Holders(device, root),
                .. KernelUsers.LoopDevices(device, root),
                .. ProcessUsers.Of(device, root),
            ];
            string prefix = device.Partition is null ? "" : $"{device.Partition} ";
            clauses.AddRange(uses.Select(use => prefix + use));
        }

        return clauses;
    }

    /// <summary>
    /// Something in the kernel has the device, or a partition of it, for itself. Also what <see cref="Of"/> can't name: a file
    /// system that was unmounted lazily while files in it are open, or that is mounted where no process is, a target of
    /// iSCSI or NVMe, ZFS. Asked by opening it in the same way for an instant (open(2), O_EXCL on a block device), which
    /// may wait for reads of its partition table: not asked of a device that nobody serves.
    /// </summary>
    /// <param name="devicePath">Its node, or a link to it.</param>
    public static bool IsHeld(string devicePath)
    {
        int fd = Fcntl.open(devicePath, Fcntl.O_RDONLY | Fcntl.O_EXCL | Fcntl.O_CLOEXEC, 0);
        if (fd < 0)
        {
            return LinuxError.Last == Errno.EBUSY;
        }

        _ = Unistd.close(fd);
        return false;
    }
}
