using System.Globalization;
using MirrorD.Daemon.Access;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Startup;

/// <summary>The directory of the sockets, held by one daemon at a time.</summary>
internal sealed class RunDirectory : IDisposable
{
    // Anybody may enter: each socket, and each directory of them, says whom it is for.
    private const FilePermissions Mode = FilePermissions.S_IRWXU | FilePermissions.S_IRGRP | FilePermissions.S_IXGRP
        | FilePermissions.S_IROTH | FilePermissions.S_IXOTH;

    private readonly string _path;
    private readonly FileStream _lock;

    private RunDirectory(string path, FileStream held)
    {
        _path = path;
        _lock = held;
    }

    /// <summary>Makes the directory and takes it.</summary>
    /// <exception cref="StartupException">Another daemon has it, or it can't be made.</exception>
    public static RunDirectory Take(string path)
    {
        // Sockets are made with this mask and must never be open to others, not even for a moment.
        _ = Syscall.umask(FilePermissions.S_IRWXO);
        try
        {
            if (!Directory.Exists(path))
            {
                Directory.CreateDirectory(path);
                _ = Syscall.chmod(path, Mode);
            }

            // FileShare.None is an exclusive flock(2), which ends with the process however it ends.
            return new RunDirectory(path, new FileStream(
                Path.Combine(path, "mirrord.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite,
                FileShare.None));
        }
        catch (UnauthorizedAccessException denied)
        {
            throw new StartupException(
                $"the directory {path} can't be used: {denied.Message.TrimEnd('.')}",
                "run mirrord as root, or name another directory with --run-dir");
        }
        catch (IOException failed)
        {
            throw new StartupException(
                $"the directory {path} can't be taken: {failed.Message.TrimEnd('.')}",
                "another mirrord may run already: see 'systemctl status mirrord', or use another --run-dir");
        }
    }

    /// <summary>Opens a socket of a volume to its owner and the group mirrord: whoever opens it has the raw data.</summary>
    public static void OpenToGroup(string socket) => OpenToGroup(socket, AccessGroups.OfThisHost.Control);

    /// <summary>Opens a socket to its owner and a group; where there is none it is its owner's alone.</summary>
    public static void OpenToGroup(string socket, uint? group) =>
        Give(
            socket, group, FilePermissions.S_IRUSR | FilePermissions.S_IWUSR,
            FilePermissions.S_IRGRP | FilePermissions.S_IWGRP);

    /// <summary>Makes the directory of a resource's sockets, which those may enter whom the sockets are for.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    public static void MakeForGroup(string directory)
    {
        Directory.CreateDirectory(directory);
        Give(
            directory, AccessGroups.OfThisHost.Control, FilePermissions.S_IRWXU,
            FilePermissions.S_IRGRP | FilePermissions.S_IXGRP);
    }

    private static void Give(string path, uint? group, FilePermissions owner, FilePermissions shared)
    {
        // First closed: a mode that is meant for the group must not count for another one.
        _ = Syscall.chmod(path, owner);
        if (group is { } id && Syscall.lchown(path, uint.MaxValue, id) == 0)
        {
            _ = Syscall.chmod(path, owner | shared);
        }
    }

    /// <summary>Leaves word, for the release helper, of how long a daemon may be away.</summary>
    /// <exception cref="StartupException">It can't be written: the sockets could not be made either.</exception>
    public void NoteDeadAfter(int deadAfterMs)
    {
        try
        {
            File.WriteAllText(
                Path.Combine(_path, "dead-after"),
                string.Create(CultureInfo.InvariantCulture, $"{deadAfterMs / 1000.0:0.###}\n"));
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"nothing can be written to the directory {_path}: {failed.Message.TrimEnd('.')}",
                "make room on its file system ('df -h', 'df -i'), or see what is in the way");
        }
    }

    public void Dispose() => _lock.Dispose();
}
