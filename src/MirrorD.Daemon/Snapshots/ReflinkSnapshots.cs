using System.Globalization;
using MirrorD.Io.Linux.Disks;

namespace MirrorD.Daemon.Snapshots;

/// <summary>
/// Snapshots of volumes that are files on file systems where files can share blocks (xfs, btrfs): beside each volume's file,
/// under its name with an ending.
/// </summary>
internal sealed class ReflinkSnapshots : ISnapshotDriver
{
    private const string Ending = ".mirrord-snapshot";

    // While it is made: only when it is there for all volumes it gets its name.
    private const string Unfinished = ".new";

    private readonly IReadOnlyList<string> _volumes;

    private ReflinkSnapshots(IReadOnlyList<string> volumes) => _volumes = volumes;

    /// <summary>Null where one of the volumes is no file, or its file system can't share blocks.</summary>
    public static ReflinkSnapshots? Of(IReadOnlyList<string> volumes)
    {
        // Beside the file itself, not beside a link to it: only there blocks can be shared.
        string[] files = [.. volumes.Select(path => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path)];
        return Array.TrueForAll(files, FileClone.MayShare) ? new ReflinkSnapshots(files) : null;
    }

    /// <inheritdoc/>
    public DateTimeOffset? Find()
    {
        FileInfo[] files = [.. _volumes.Select(path => new FileInfo(path + Ending))];
        return Array.TrueForAll(files, file => file.Exists) ? files.Min(file => file.LastWriteTimeUtc) : null;
    }

    /// <inheritdoc/>
    public void Create(string? keptAs, CancellationToken tooLate)
    {
        Remove();
        foreach (IGrouping<string, string> directory in _volumes.GroupBy(path => Path.GetDirectoryName(path)!))
        {
            // A shared block that is written needs another one: without this much room writes could fail that would not have.
            long most = directory.Sum(FileClone.AllocatedBytes);
            long free = new DriveInfo(directory.Key).AvailableFreeSpace;
            if (free < most)
            {
                throw new IOException(string.Create(CultureInfo.InvariantCulture,
                    $"writes to shared blocks may need {most} bytes more in {directory.Key}, and {free} are free"));
            }
        }

        string ending = keptAs is null ? Ending : "." + keptAs;
        try
        {
            foreach (string path in _volumes)
            {
                FileClone.Create(path + Ending + Unfinished, path);
            }

            if (tooLate.IsCancellationRequested)
            {
                throw new IOException("it came too late");
            }

            foreach (string path in _volumes)
            {
                FileClone.Rename(path + Ending + Unfinished, path + ending);
            }
        }
        catch (IOException)
        {
            Remove(ending);
            throw;
        }
    }

    /// <inheritdoc/>
    public void CopyBack(IReadOnlyList<long> dataBytes)
    {
        for (int i = 0; i < _volumes.Count; i++)
        {
            FileClone.CopyRange(_volumes[i], _volumes[i] + Ending, dataBytes[i]);
        }
    }

    /// <inheritdoc/>
    public void Remove() => Remove(Ending);

    private void Remove(string ending)
    {
        foreach (string path in _volumes)
        {
            File.Delete(path + ending);
            File.Delete(path + Ending + Unfinished);
        }
    }
}
