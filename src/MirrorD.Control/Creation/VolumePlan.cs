using MirrorD.Configuration;
using MirrorD.Control.Output;
using MirrorD.Formats.Metadata;
using Mono.Unix.Native;

namespace MirrorD.Control.Creation;

/// <summary>A volume that may be created: its place is known and nothing speaks against it.</summary>
/// <param name="Volume">The volume.</param>
/// <param name="Index">Its number in the resource.</param>
/// <param name="Placement">Where data and metadata go.</param>
/// <param name="MakesMetadataFile">The metadata file does not exist yet.</param>
internal sealed record VolumePlan(
    VolumeConfiguration Volume, int Index, MetadataPlacement Placement, bool MakesMetadataFile)
{
    /// <summary>Examines the devices of a volume and refuses what could destroy something.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="index">Its number in the resource.</param>
    /// <param name="source">Whose data counts.</param>
    /// <param name="overwrite">The operator gave up what the devices hold.</param>
    /// <exception cref="CommandFailure">It is refused; nothing was changed.</exception>
    public static VolumePlan For(VolumeConfiguration volume, int index, CreationSource source, bool overwrite)
    {
        if (!volume.IsFile && IsRegularFile(volume.Path))
        {
            throw CreationRefusal.Of(
                volume.Path, "is a file, not a device", $"write 'file: {volume.Path}' in the configuration");
        }

        if (volume.IsFile && !File.Exists(volume.Path))
        {
            throw CreationRefusal.Of(
                volume.Path, "does not exist",
                $"make it with its size, e.g. 'fallocate -l 10G {volume.Path}'");
        }

        DevicePicture data = DevicePicture.Of(volume.Path);
        bool isInternal = volume.MetadataPath is null;
        long least = isInternal ? MetadataPlacement.MinimumInternalBytes : MetadataLayout.BlockBytes;
        if (data.LengthBytes < least)
        {
            throw CreationRefusal.Of(
                data.Path, $"is too small with {Quantity.Bytes(data.LengthBytes)}",
                $"it needs {Quantity.Bytes(least)} at least");
        }

        MetadataPlacement placement = isInternal
            ? MetadataPlacement.Internal(data.LengthBytes)
            : MetadataPlacement.External(data.LengthBytes);
        RefuseOldMetadata(data, overwrite);
        // On the side whose data counts nothing is given up, whatever was said.
        if (data.Signatures.Count > 0 && (!overwrite || source == CreationSource.Self))
        {
            RefuseContents(data, placement, isInternal, source);
        }

        bool makesFile = !isInternal && PlanMetadata(volume.MetadataPath!, placement, overwrite);
        return new VolumePlan(volume, index, placement, makesFile);
    }

    private static bool IsRegularFile(string path) =>
        Syscall.stat(path, out Stat found) == 0
        && (found.st_mode & FilePermissions.S_IFMT) == FilePermissions.S_IFREG;

    private static void RefuseOldMetadata(DevicePicture data, bool overwrite)
    {
        if (!overwrite && data.LengthBytes >= MetadataPlacement.MinimumInternalBytes
            && data.SuperblockAt(MetadataPlacement.Internal(data.LengthBytes).MetadataOffset) is { } old)
        {
            throw CreationRefusal.Of(
                data.Path, $"is already volume {old.VolumeName} of resource {old.ResourceName}",
                $"look at it with 'mirrorctl inspect {data.Path}'; to begin anew add --overwrite");
        }
    }

    private static void RefuseContents(
        DevicePicture data, MetadataPlacement placement, bool isInternal, CreationSource source)
    {
        string held = string.Join(", ", data.Signatures.Select(signature => signature.Type));
        if (source != CreationSource.Self)
        {
            throw CreationRefusal.Of(
                data.Path, $"holds {held}, which would be overwritten",
                "if this node's data counts say '--from' with its name; to give it up add --overwrite");
        }

        if (!isInternal)
        {
            return;
        }

        foreach (Signature signature in data.Signatures)
        {
            long? end = FileSystemEnd.Of(signature.Type, data.Header);
            if (end is null || end > placement.DataBytes)
            {
                string reach = end is null ? "whose end is not known" : $"of {Quantity.Bytes(end.Value)}";
                string shrink = signature.Type.StartsWith("ext", StringComparison.Ordinal)
                    ? $"shrink it ('e2fsck -f {data.Path} && resize2fs {data.Path} " +
                        $"{placement.DataBytes / 1024}K') or "
                    : "";
                throw CreationRefusal.Of(
                    data.Path,
                    $"holds {signature.Type} {reach}, and the metadata needs the last " +
                    $"{Quantity.Bytes(placement.MetadataBytes)}",
                    shrink + "name a device or file of its own in the configuration ('metadata: /path')");
            }
        }
    }

    private static bool PlanMetadata(string path, MetadataPlacement placement, bool overwrite)
    {
        if (!File.Exists(path))
        {
            return path.StartsWith("/dev/", StringComparison.Ordinal)
                ? throw CreationRefusal.Of(path, "does not exist", "check the path in the configuration")
                : true;
        }

        DevicePicture metadata = DevicePicture.Of(path);
        if (metadata.LengthBytes < placement.MetadataBytes)
        {
            throw CreationRefusal.Of(
                path, $"is too small for the metadata with {Quantity.Bytes(metadata.LengthBytes)}",
                $"it needs {Quantity.Bytes(placement.MetadataBytes)} ({placement.MetadataBytes} bytes)");
        }

        if (overwrite)
        {
            return false;
        }

        if (metadata.SuperblockAt(0) is { } old)
        {
            throw CreationRefusal.Of(
                path, $"already holds the metadata of volume {old.VolumeName} of resource {old.ResourceName}",
                "use another one; to begin anew add --overwrite");
        }

        return metadata.Signatures.Count == 0
            ? false
            : throw CreationRefusal.Of(
                path, $"holds {string.Join(", ", metadata.Signatures.Select(signature => signature.Type))}",
                "use another one; to give it up add --overwrite");
    }
}
