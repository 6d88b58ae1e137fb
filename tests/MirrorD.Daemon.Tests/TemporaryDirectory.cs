namespace MirrorD.Daemon.Tests;

/// <summary>A directory that goes away with the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public TemporaryDirectory() => Root = Directory.CreateTempSubdirectory("mirrord-test-").FullName;

    public string Root { get; }

    public string At(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
