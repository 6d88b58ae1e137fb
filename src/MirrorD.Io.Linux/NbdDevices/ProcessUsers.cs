using System.Globalization;
using MirrorD.Io.Linux.Interop;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Processes that have a device open.</summary>
internal static unsafe class ProcessUsers
{
    /// <summary>A clause for each process.</summary>
    public static IEnumerable<string> Of(UsedDevice device, string root)
    {
        foreach (string process in Numbers(root))
        {
            string directory = Path.Combine(root, "proc", process);
            if (SystemFile.List(Path.Combine(directory, "fd")).Any(file => IsOpenOn(file, device)))
            {
                yield return $"open by {Describe(directory)}";
            }
        }
    }

    /// <summary>Numbers of all processes, in their order.</summary>
    public static IEnumerable<string> Numbers(string root) =>
        SystemFile.List(Path.Combine(root, "proc"))
            .Select(path => Path.GetFileName(path)!)
            .Where(name => name.All(char.IsAsciiDigit))
            .OrderBy(name => int.Parse(name, CultureInfo.InvariantCulture));

    /// <summary>Name and number of the process that a directory of /proc is about.</summary>
    public static string Describe(string directory)
    {
        string name = SystemFile.TryRead(Path.Combine(directory, "comm"))?.TrimEnd('\n') ?? "a process";
        return $"{name} (pid {Path.GetFileName(directory)})";
    }

    // By number and not by name: a container may have the device under any name.
    private static bool IsOpenOn(string file, UsedDevice device)
    {
        // A file of a network file system whose server is gone must not hold this up.
        statx found;
        return Stat.statx(At.AT_FDCWD, file, At.AT_STATX_DONT_SYNC, Stat.STATX_BASIC_STATS, &found) == 0
            && (found.stx_mode & Stat.S_IFMT) == Stat.S_IFBLK
            && found.stx_rdev_major == device.Major && found.stx_rdev_minor == device.Minor;
    }
}
