namespace MirrorD.Io.Tests.Linux;

/// <summary>
/// A directory that goes with its test. On a real file system: direct I/O does not work everywhere.
/// </summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory() => Path = Directory.CreateTempSubdirectory("mirrord-io-").FullName;

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
