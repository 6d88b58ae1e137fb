using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>A file system of its own with a sparse file for a volume, which gets no room any more when somebody else took it.</summary>
public sealed class CrowdedFileSystem
{
    private readonly string _crowd;

    /// <summary>Makes and mounts it, with three times the room that the file can need.</summary>
    /// <param name="lab">The lab that it goes with.</param>
    /// <param name="name">Unique in the lab.</param>
    /// <param name="lengthBytes">Length of the sparse file.</param>
    /// <param name="type">ext4, or xfs, where files can share blocks.</param>
    public CrowdedFileSystem(Lab lab, string name, long lengthBytes, string type)
    {
        string image = BackingFile.Create(Path.Combine(lab.Directory, $"{name}.fs"), 3 * lengthBytes);
        LoopDevice device = LoopDevice.Attach(lab, image);
        FileSystem.Make(device.Path, type);
        string directory = FileSystem.Mount(lab, name, device.Path, type).MountPoint;
        FilePath = Path.Combine(directory, "volume.img");
        _crowd = Path.Combine(directory, "crowd");
        Tool.Run("truncate", "--size", $"{lengthBytes}", FilePath).Require();
    }

    /// <summary>The file for the volume.</summary>
    public string FilePath { get; }

    /// <summary>Takes all the room that is left.</summary>
    public void Fill()
    {
        Directory.CreateDirectory(_crowd);
        Tool.Run("sh", "-c",
            $"for size in 8M 1M 64K 4K; do i=0; while fallocate --length $size {_crowd}/$size-$i; do i=$((i + 1)); done; "
            + "done 2>/dev/null; true").Require();
    }

    /// <summary>Gives it back.</summary>
    public void Clear() => Directory.Delete(_crowd, recursive: true);
}
