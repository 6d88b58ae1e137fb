using System.Globalization;
using MirrorD.Io.Linux.Disks;

namespace MirrorD.Daemon.Snapshots;

/// <summary>
/// Snapshots of volumes that are thin logical volumes: others of the same pool, under the volume's name with an ending.
/// </summary>
internal sealed class ThinSnapshots : ISnapshotDriver
{
    private const string Ending = "-mirrord-snapshot";

    // While it is made: only when it is there for all volumes it gets its name.
    private const string Unfinished = "-mirrord-unfinished";

    private readonly IReadOnlyList<LogicalVolume> _volumes;

    // What it is known to be, without asking LVM again, which takes a while; the time is null when there is none.
    private bool _isKnown;
    private DateTimeOffset? _takenAt;

    private ThinSnapshots(IReadOnlyList<LogicalVolume> volumes) => _volumes = volumes;

    /// <summary>Null where one of the volumes is no thin logical volume.</summary>
    /// <param name="volumes">Paths of the volumes' disks.</param>
    /// <param name="trouble">Told when LVM, to which they belong, can't be asked.</param>
    public static ThinSnapshots? Of(IReadOnlyList<string> volumes, Action<Exception> trouble)
    {
        if (!Lvm.IsThere || volumes.Any(path => !IsLogical(path)))
        {
            return null;
        }

        try
        {
            LogicalVolume[] found = [.. volumes.SelectMany(Lvm.List)];
            return found.Length == volumes.Count && Array.TrueForAll(found, volume => volume.IsThin)
                ? new ThinSnapshots(found) : null;
        }
        catch (IOException failed)
        {
            trouble(failed);
            return null;
        }
    }

    /// <summary>Why the room of a pool is not enough for a snapshot of volumes of it; null when it is.</summary>
    public static string? Shortage(LogicalVolume pool, IEnumerable<LogicalVolume> volumes)
    {
        // A shared block that is written needs another one: without this much room writes could fail that would not have.
        long most = volumes.Sum(volume => volume.TakenBytes);
        long free = pool.LengthBytes - pool.TakenBytes;
        return free < most
                ? string.Create(CultureInfo.InvariantCulture,
                    $"writes to shared blocks may need {most} bytes more in {pool.FullName}, and {free} are free")
            : pool.MetadataPercent is not < 50
                ? $"writes to shared blocks may need as much metadata again in {pool.FullName}, and less than half is free"
            : null;
    }

    /// <inheritdoc/>
    public DateTimeOffset? Find()
    {
        if (!_isKnown)
        {
            LogicalVolume[] found = [.. Existing().Where(volume => volume.Name.EndsWith(Ending, StringComparison.Ordinal))];
            _takenAt = found.Length == _volumes.Count ? found.Min(volume => volume.MadeAt) : null;
            _isKnown = true;
        }

        return _takenAt;
    }

    /// <inheritdoc/>
    public void Create(string? keptAs, CancellationToken tooLate)
    {
        _isKnown = false;
        foreach (IGrouping<string, LogicalVolume> group in _volumes.GroupBy(volume => volume.Group))
        {
            IReadOnlyList<LogicalVolume> all = Lvm.List(group.Key);
            RemoveAll(all);
            foreach (IGrouping<string, LogicalVolume> ofPool in group.GroupBy(volume => volume.Pool))
            {
                LogicalVolume pool = all.First(other => other.Name == ofPool.Key);
                if (Shortage(pool, all.Where(other => ofPool.Any(volume => volume.Name == other.Name))) is { } shortage)
                {
                    throw new IOException(shortage);
                }
            }
        }

        string ending = keptAs is null ? Ending : "-" + keptAs;
        try
        {
            foreach (LogicalVolume volume in _volumes)
            {
                // What was written and not flushed is part of it, and what is in the disks' caches has to last as well.
                BlockCopy.Flush(volume.Device);
                Lvm.Run("lvcreate", "--quiet", "--snapshot", "--setactivationskip", "n", "--name", volume.Name + Unfinished,
                    volume.FullName);
            }

            foreach (LogicalVolume volume in _volumes)
            {
                if (tooLate.IsCancellationRequested)
                {
                    throw new IOException("it came too late");
                }

                Lvm.Run("lvrename", "--quiet", volume.Group, volume.Name + Unfinished, volume.Name + ending);
            }
        }
        catch (IOException)
        {
            Remove();
            throw;
        }

        _takenAt = keptAs is null ? DateTimeOffset.UtcNow : null;
        _isKnown = true;
    }

    /// <inheritdoc/>
    public void CopyBack(IReadOnlyList<long> dataBytes)
    {
        for (int i = 0; i < _volumes.Count; i++)
        {
            LogicalVolume volume = _volumes[i];
            Lvm.Run("lvchange", "--quiet", "--ignoreactivationskip", "--activate", "y", volume.FullName + Ending);
            BlockCopy.CopyDifferences(volume.Device + Ending, volume.Device, dataBytes[i]);
        }
    }

    /// <inheritdoc/>
    public void Remove()
    {
        _isKnown = false;
        RemoveAll(Existing());
        _takenAt = null;
        _isKnown = true;
    }

    // A name of the kernel's device mapper: /sys/class/block/dm-0/dm/uuid (Documentation/ABI/testing/sysfs-block-dm).
    private static bool IsLogical(string path)
    {
        string device = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        string uuid = $"/sys/class/block/{Path.GetFileName(device)}/dm/uuid";
        return File.Exists(uuid) && File.ReadAllText(uuid).StartsWith("LVM-", StringComparison.Ordinal);
    }

    private List<LogicalVolume> Existing() =>
        [.. _volumes.Select(volume => volume.Group).Distinct().SelectMany(group => Ours(Lvm.List(group)))];

    private void RemoveAll(IEnumerable<LogicalVolume> all)
    {
        foreach (LogicalVolume ours in Ours(all))
        {
            Lvm.Run("lvremove", "--quiet", "--yes", ours.FullName);
        }
    }

    private IEnumerable<LogicalVolume> Ours(IEnumerable<LogicalVolume> all) => all.Where(found => _volumes.Any(volume =>
        volume.Group == found.Group && (found.Name == volume.Name + Ending || found.Name == volume.Name + Unfinished)));
}
