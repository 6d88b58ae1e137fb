using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Disks;

/// <summary>Preallocated files, as backing disks of volumes or below other disks.</summary>
public static class BackingFile
{
    /// <summary>Makes a file of zeroes with all its room allocated.</summary>
    /// <returns>Its path.</returns>
    public static string Create(string path, long lengthBytes)
    {
        Tool.Run("fallocate", "--length", $"{lengthBytes}", path).Require();
        return path;
    }

    /// <summary>Makes a file of zeroes that takes room only where something is written.</summary>
    /// <returns>Its path.</returns>
    public static string CreateSparse(string path, long lengthBytes)
    {
        Tool.Run("truncate", "--size", $"{lengthBytes}", path).Require();
        return path;
    }
}
