using System.Globalization;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab;

/// <summary>
/// What labs leave on the machine: each lab has a directory with a lock that its process holds and a list
/// of the processes that it started. A directory whose lock is free belongs to a run that was killed.
/// </summary>
internal static class Leftovers
{
    private const string LockName = "owner.lock";
    private const string ProcessesName = "processes";

    /// <summary>Parent of all labs' directories.</summary>
    public static string Root { get; } = Path.Combine(Path.GetTempPath(), "mirrord-lab");

    /// <summary>
    /// Makes a lab's directory and takes its lock, which is free again when this process is gone.
    /// </summary>
    public static FileStream Create(string directory)
    {
        using FileStream exclusive = TakeRoot();
        Directory.CreateDirectory(directory);
        return Lock(Path.Combine(directory, LockName));
    }

    /// <summary>Notes a process, so that a later run may end it.</summary>
    public static void Record(string directory, int processId) =>
        File.AppendAllText(
            Path.Combine(directory, ProcessesName), $"{processId} {Signals.StartTime(processId)}\n");

    /// <summary>Removes what killed runs left behind.</summary>
    public static void Remove()
    {
        using FileStream exclusive = TakeRoot();
        foreach (string directory in Directory.GetDirectories(Root))
        {
            try
            {
                using FileStream taken = Lock(Path.Combine(directory, LockName));
                Sweep(directory);
                DeleteFiles(directory);
            }
            catch (IOException)
            {
                // Its owner lives.
            }
        }
    }

    /// <summary>Removes all of one lab that is there: processes, mounts, loop devices, namespaces, files.</summary>
    public static void RemoveAll(string directory)
    {
        Sweep(directory);

        // Somebody who looks for leftovers would take a half-deleted directory for one, and put a lock into it.
        using FileStream exclusive = TakeRoot();
        DeleteFiles(directory);
    }

    private static void Sweep(string directory)
    {
        string id = Path.GetFileName(directory);
        KillRecorded(directory);
        string[] namespaces = Namespaces(id);
        foreach (string name in namespaces)
        {
            KillInside(name);
        }

        // A loop device's file system lies above it, and its file may lie in a mount below it: undo in turns.
        // Lazily only in the last turn: a loop device no longer names its file once that is out of the tree.
        for (int turn = 0; turn < 3; turn++)
        {
            Unmount(directory, lazily: turn == 2);
            DetachLoops(directory);
        }

        foreach (string name in namespaces)
        {
            Tool.Run("ip", "netns", "delete", name);
        }
    }

    private static void DeleteFiles(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody was faster.
        }
    }

    // Also what the lab did not start itself, as hooks of its daemons: they may still write into its directory.
    private static void KillInside(string networkNamespace) =>
        Wait.For($"programs in {networkNamespace} to end", 10, () =>
        {
            string[] processIds = Tool.Run("ip", "netns", "pids", networkNamespace).Output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries);
            foreach (string processId in processIds)
            {
                Signals.Send(int.Parse(processId, CultureInfo.InvariantCulture), Signals.Kill);
            }

            return processIds.Length == 0;
        });

    // Between a directory's creation and its lock nobody may take it for a leftover.
    private static FileStream TakeRoot()
    {
        Directory.CreateDirectory(Root);
        FileStream? taken = null;
        Wait.For($"the lock of {Root}", 60, () =>
        {
            try
            {
                taken = Lock(Path.Combine(Root, LockName));
                return true;
            }
            catch (IOException)
            {
                return false;
            }
        });
        return taken!;
    }

    private static FileStream Lock(string path) =>
        new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);

    private static string[] Namespaces(string id) =>
        [.. Tool.Run("ip", "netns", "list").Output.Split('\n')
            .Select(line => line.Split(' ')[0])
            .Where(name => name.StartsWith(id + "-", StringComparison.Ordinal))];

    private static void KillRecorded(string directory)
    {
        string path = Path.Combine(directory, ProcessesName);
        if (!File.Exists(path))
        {
            return;
        }

        foreach (string line in File.ReadLines(path))
        {
            string[] words = line.Split(' ');
            int processId = int.Parse(words[0], CultureInfo.InvariantCulture);
            if (words[1].Length == 0 || Signals.StartTime(processId) != words[1])
            {
                continue;
            }

            Signals.Send(processId, Signals.Kill);
            Wait.For($"process {processId} to die", 10, () => Signals.StartTime(processId) != words[1]);
        }
    }

    private static void Unmount(string directory, bool lazily)
    {
        // proc(5), mounts: device, mount point with octal escapes (our names need none), type, …
        string[] points = [.. File.ReadLines("/proc/mounts")
            .Select(line => line.Split(' ')[1])
            .Where(point => point.StartsWith(directory + "/", StringComparison.Ordinal))];
        foreach (string point in points.Reverse())
        {
            if (!Tool.RunWithin(TimeSpan.FromSeconds(10), "umount", point).Succeeded && lazily)
            {
                Tool.RunWithin(TimeSpan.FromSeconds(10), "umount", "--lazy", point);
            }
        }
    }

    private static void DetachLoops(string directory)
    {
        ToolResult list = Tool.Run("losetup", "--noheadings", "--list", "--output", "NAME,BACK-FILE");
        foreach (string line in list.Output.Split('\n'))
        {
            string[] words = line.Split(
                ' ', 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (words.Length == 2 && words[1].StartsWith(directory + "/", StringComparison.Ordinal))
            {
                Tool.Run("losetup", "--detach", words[0]);
            }
        }
    }
}
