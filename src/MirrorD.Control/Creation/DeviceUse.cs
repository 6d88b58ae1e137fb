using Mono.Unix.Native;

namespace MirrorD.Control.Creation;

/// <summary>
/// Finds out who uses a device or file, for a message that names it. What this does not find, the exclusive
/// open still refuses.
/// </summary>
internal static class DeviceUse
{
    private const string BlockDevices = "/sys/block";

    /// <summary>"is mounted on /srv" and the like; null when no use was found.</summary>
    public static string? Describe(string path)
    {
        if (Syscall.stat(path, out Stat found) != 0)
        {
            return null;
        }

        return (found.st_mode & FilePermissions.S_IFMT) == FilePermissions.S_IFBLK
            ? OfDevice(path, found.st_rdev)
            : OfFile(path);
    }

    private static string? OfDevice(string path, ulong device)
    {
        // The encoding of gnu_dev_major and gnu_dev_minor in sys/sysmacros.h.
        ulong major = ((device >> 8) & 0xfff) | ((device >> 32) & ~0xffful);
        ulong minor = (device & 0xff) | ((device >> 12) & ~0xfful);
        string number = $"{major}:{minor}";
        foreach (string mount in File.ReadLines("/proc/self/mountinfo"))
        {
            string[] fields = mount.Split(' ');
            if (fields.Length > 4 && fields[2] == number)
            {
                return $"is mounted on {fields[4]}";
            }
        }

        string real = Path.GetFullPath(path);
        string? target = new FileInfo(real).ResolveLinkTarget(returnFinalTarget: true)?.FullName;
        if (File.ReadLines("/proc/swaps").Skip(1).Any(
            line => line.Split(' ')[0] is var swap && (swap == real || swap == target)))
        {
            return "is used as swap space";
        }

        string holders = $"/sys/dev/block/{number}/holders";
        string[] names = Directory.Exists(holders) ? [.. Directory.GetFileSystemEntries(holders)] : [];
        return names.Length > 0 ? $"is part of {string.Join(", ", names.Select(Path.GetFileName))}" : null;
    }

    private static string? OfFile(string path)
    {
        string full = Path.GetFullPath(path);
        if (!Directory.Exists(BlockDevices))
        {
            return null;
        }

        foreach (string loop in Directory.GetDirectories(BlockDevices, "loop*"))
        {
            string backing = Path.Combine(loop, "loop/backing_file");
            if (File.Exists(backing) && File.ReadAllText(backing).TrimEnd('\n') == full)
            {
                return $"is attached to /dev/{Path.GetFileName(loop)}";
            }
        }

        return null;
    }
}
