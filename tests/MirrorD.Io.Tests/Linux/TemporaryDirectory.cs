namespace MirrorD.Io.Tests.Linux;

/// <summary>
/// A directory that goes with its test. On a real file system: direct I/O does not work everywhere.
/// </summary>
internal sealed class TemporaryDirectory : IDisposable
{
    /// <param name="parent">Where; null for the usual place.</param>
    public TemporaryDirectory(string? parent = null) => Path = parent is null
        ? Directory.CreateTempSubdirectory("mirrord-io-").FullName
        : Directory.CreateDirectory(System.IO.Path.Combine(parent, $"mirrord-io-{Guid.NewGuid():N}")).FullName;

    public string Path { get; }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
