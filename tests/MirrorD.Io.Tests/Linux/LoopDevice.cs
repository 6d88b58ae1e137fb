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

    public void Dispose() => Command.Run("losetup", "--detach", Path);
}
