namespace MirrorD.Io.Tests.Linux;

/// <summary>A block device over a file.</summary>
internal sealed class LoopDevice : IDisposable
{
    public LoopDevice(string file, long lengthBytes, int sectorBytes)
    {
        using (FileStream stream = File.Create(file))
        {
            stream.SetLength(lengthBytes);
        }

        Path = Command.Run("losetup", "--find", "--show", $"--sector-size={sectorBytes}", file).Trim();
    }

    public string Path { get; }

    /// <summary>Flushes of a volatile cache that the device has carried out (Documentation/block/stat).</summary>
    public long CompletedFlushes()
    {
        string statistics = File.ReadAllText($"/sys/block/{System.IO.Path.GetFileName(Path)}/stat");
        string[] fields = statistics.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(fields[15], System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose() => Command.Run("losetup", "--detach", Path);
}
