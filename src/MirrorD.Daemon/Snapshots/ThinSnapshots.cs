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

    private readonly IReadOnlyList<string> _devices;
    private LogicalVolume[]? _volumes;

    // What it is known to be, without asking LVM again, which takes a while; the time is null when there is none.
    private bool _isKnown;
    private DateTimeOffset? _takenAt;

    private ThinSnapshots(IReadOnlyList<string> devices) => _devices = devices;

    // LVM is asked at the first use, not at the start, which holds a block device up.
    private LogicalVolume[] Volumes => _volumes ??= [.. _devices.Select(device =>
        Lvm.List(device) is [{ IsThin: true } volume] ? volume
            : throw new IOException($"{device} is not what LVM knows as one thin volume"))];

    /// <summary>Null where one of the volumes is no thin logical volume.</summary>
    /// <param name="volumes">Paths of the volumes' disks.</param>
    public static ThinSnapshots? Of(IReadOnlyList<string> volumes)
    {
        string?[] devices = Lvm.IsThere ? [.. volumes.Select(ThinDevice.Find)] : [null];
        return Array.Exists(devices, device => device is null) ? null : new ThinSnapshots([.. devices.OfType<string>()]);
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
            LogicalVolume[] found =
                [.. Existing(Ending).Where(volume => volume.Name.EndsWith(Ending, StringComparison.Ordinal))];
            _takenAt = found.Length == Volumes.Length ? found.Min(volume => volume.MadeAt) : null;
            _isKnown = true;
        }

        return _takenAt;
    }

    /// <inheritdoc/>
    public void Create(string? keptAs, CancellationToken tooLate)
    {
        _isKnown = false;
        foreach (IGrouping<string, LogicalVolume> group in Volumes.GroupBy(volume => volume.Group))
        {
            IReadOnlyList<LogicalVolume> all = Lvm.List(group.Key);
            RemoveAll(all, Ending);
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
            foreach (LogicalVolume volume in Volumes)
            {
                // What was written and not flushed is part of it, and what is in the disks' caches has to last as well.
                BlockCopy.Flush(volume.Device);
                Lvm.Change("lvcreate", "--snapshot", "--setactivationskip", "n", "--name", volume.Name + Unfinished,
                    volume.FullName);
            }

            if (tooLate.IsCancellationRequested)
            {
                throw new IOException("it came too late");
            }

            foreach (LogicalVolume volume in Volumes)
            {
                Lvm.Change("lvrename", volume.Group, volume.Name + Unfinished, volume.Name + ending);
            }
        }
        catch (IOException)
        {
            RemoveAll(Existing(ending), ending);
            throw;
        }

        _takenAt = keptAs is null ? DateTimeOffset.UtcNow : null;
        _isKnown = true;
    }

    /// <inheritdoc/>
    public void CopyBack(IReadOnlyList<long> dataBytes)
    {
        for (int i = 0; i < Volumes.Length; i++)
        {
            LogicalVolume volume = Volumes[i];
            Lvm.Change("lvchange", "--ignoreactivationskip", "--activate", "y", volume.FullName + Ending);
            BlockCopy.CopyDifferences(volume.Device + Ending, volume.Device, dataBytes[i]);
        }
    }

    /// <inheritdoc/>
    public void Remove()
    {
        _isKnown = false;
        RemoveAll(Existing(Ending), Ending);
        _takenAt = null;
        _isKnown = true;
    }

    private List<LogicalVolume> Existing(string ending) => [.. Volumes.Select(volume => volume.Group).Distinct()
        .SelectMany(group => Ours(Lvm.List(group), ending))];

    private void RemoveAll(IEnumerable<LogicalVolume> all, string ending)
    {
        foreach (LogicalVolume ours in Ours(all, ending))
        {
            Lvm.Change("lvremove", "--yes", ours.FullName);
        }
    }

    private IEnumerable<LogicalVolume> Ours(IEnumerable<LogicalVolume> all, string ending) =>
        all.Where(found => Array.Exists(Volumes, volume => volume.Group == found.Group
            && (found.Name == volume.Name + ending || found.Name == volume.Name + Unfinished)));
}
