using MirrorD.Configuration;
using MirrorD.Daemon.Startup;
using MirrorD.Engine.Control;
using MirrorD.Formats.Metadata;
using MirrorD.Io;
using MirrorD.Io.Linux;

namespace MirrorD.Daemon.Resources;

/// <summary>Opens the backing disks of a resource, for this daemon alone.</summary>
internal static class VolumeOpening
{
    /// <summary>Opens all volumes, or none.</summary>
    /// <exception cref="DiskAwaitedException">A disk is missing or in use.</exception>
    /// <exception cref="StartupException">A disk is too small, or can't be used.</exception>
    public static IReadOnlyList<VolumeOptions> Open(
        ResourceConfiguration resource, string node, MetadataPlaces places)
    {
        var opened = new List<LinuxDisk>();
        LinuxDisk OpenOne(string path)
        {
            LinuxDisk disk = LinuxDisk.Open(path, isWritable: true, isExclusive: true);
            opened.Add(disk);
            return disk;
        }

        try
        {
            var volumes = new List<VolumeOptions>();
            foreach (VolumeConfiguration volume in resource.On[node].Volumes)
            {
                LinuxDisk data = OpenOne(volume.Path);
                LinuxDisk metadata = volume.MetadataPath is { } path ? OpenOne(path) : data;
                MetadataPlacement placement = Placement(resource, volume, data, metadata);
                bool isInternal = ReferenceEquals(data, metadata);
                volumes.Add(new VolumeOptions(
                    volume.Name, data, metadata, placement.MetadataOffset,
                    isInternal ? placement.MetadataBytes : metadata.LengthBytes)
                {
                    Former = isInternal ? places.Last(resource.Name, volume.Name) : null,
                    MetadataPlaced = isInternal ? offset => Note(places, resource.Name, volume.Name, data, offset) : null,
                });
            }

            return volumes;
        }
        catch (Exception failed) when (failed is IOException or StartupException)
        {
            opened.ForEach(disk => disk.Close());
            string problem = failed.Message.TrimEnd('.');
            throw failed.HResult is Errno.EBUSY or Errno.ENOENT
                ? new DiskAwaitedException(problem, isBusy: failed.HResult == Errno.EBUSY)
                : failed as StartupException ?? new StartupException(problem, "then restart mirrord");
        }
    }

    private static void Note(MetadataPlaces places, string resource, string volume, LinuxDisk data, long offset)
    {
        if (MetadataPlacement.Internal(data.LengthBytes).MetadataOffset == offset)
        {
            places.Note(resource, volume, data.LengthBytes);
        }
    }

    private static MetadataPlacement Placement(
        ResourceConfiguration resource, VolumeConfiguration volume, LinuxDisk data, LinuxDisk metadata)
    {
        bool isInternal = ReferenceEquals(data, metadata);
        long leastBytes = isInternal ? MetadataPlacement.MinimumInternalBytes : MetadataLayout.BlockBytes;
        bool fits = data.LengthBytes >= leastBytes;
        MetadataPlacement placement = !fits ? default
            : isInternal ? MetadataPlacement.Internal(data.LengthBytes)
            : MetadataPlacement.External(data.LengthBytes);
        bool isRoomy = isInternal ? fits : fits && metadata.LengthBytes >= new MetadataLayout(1).TotalBytes;
        return isRoomy
            ? placement
            : throw new StartupException(
                $"{(fits ? metadata : data).Name} is too small to be volume {volume.Name} with its metadata",
                $"enlarge it, then 'mirrorctl create {resource.Name} …' and restart mirrord");
    }
}
