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
    /// Looks for what <see cref="Of"/> can't see: file systems that were unmounted lazily while files in them are open, or
    /// that are mounted where no process is, and targets that serve the device to other machines. Only reads what the
    /// kernel shows of them. An exclusive open would tell of all there is, but may wait for the device's own requests: this
    /// process, killed meanwhile, would never quite end, and nobody else could answer them.
    /// </summary>
    /// <param name="devicePath">Its node, or a link to it.</param>
    /// <param name="root">/, or a directory that stands for it.</param>
    /// <returns>Clauses as those of <see cref="Of"/>.</returns>
    /// <exception cref="IOException">There is no such device.</exception>
    public static IReadOnlyList<string> Unseen(string devicePath, string root = "/") =>
    [
        .. UsedDevice.WithPartitions(devicePath, root).SelectMany(device =>
            KernelUsers.FileSystems(device, root).Concat(KernelUsers.Targets(device, root))
                .Select(use => (device.Partition is null ? "" : $"{device.Partition} ") + use)),
    ];
}
