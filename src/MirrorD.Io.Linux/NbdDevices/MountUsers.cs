namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>File systems of a device that are mounted (proc_pid_mountinfo(5)).</summary>
internal static class MountUsers
{
    /// <summary>A clause for each mount point, in any mount namespace that a process is in.</summary>
    public static IEnumerable<string> Of(UsedDevice device, string root)
    {
        HashSet<string> namespaces = [];
        HashSet<string> told = [];
        foreach (string process in Processes(root))
        {
            string directory = Path.Combine(root, "proc", process);
            string? mountNamespace = SystemFile.TryReadLink(Path.Combine(directory, "ns/mnt"));
            if (mountNamespace is not null && !namespaces.Add(mountNamespace))
            {
                continue;
            }

            foreach (string line in Lines(Path.Combine(directory, "mountinfo")))
            {
                if (MountPoint(line, device) is { } mountPoint && told.Add(mountPoint))
                {
                    // The mount points of others mean nothing to who reads the message without a name.
                    string whose = process is "1" or "self"
                        ? ""
                        : $" in the mount namespace of {ProcessUsers.Describe(directory)}";
                    yield return $"mounted at {mountPoint}{whose}";
                }
            }
        }
    }

    /// <summary>Mount point of a line of mountinfo when it is about the device, else null.</summary>
    internal static string? MountPoint(string line, UsedDevice device)
    {
        // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
        string[] fields = line.Split(' ');
        int separator = Array.IndexOf(fields, "-");
        if (fields.Length < 5 || separator < 0 || separator + 2 >= fields.Length)
        {
            return null;
        }

        // Some file systems (btrfs) have a number of their own and only name the device.
        bool isDevice = fields[2] == device.Number
            || SystemFile.Unescape(fields[separator + 2]) == $"/dev/{device.Name}";
        return isDevice ? SystemFile.Unescape(fields[4]) : null;
    }

    // First those whose view the reader shares. An own directory named self stands for this process.
    private static IEnumerable<string> Processes(string root) =>
        ((string[])["1", "self"]).Concat(ProcessUsers.Numbers(root));

    private static string[] Lines(string path) =>
        SystemFile.TryRead(path)?.Split('\n', StringSplitOptions.RemoveEmptyEntries) ?? [];
}
