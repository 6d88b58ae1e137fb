using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Targets;

/// <summary>
/// A directory of a target for files of its inputs; made when it is first used, removed when the process ends.
/// </summary>
internal sealed class ScratchDirectory
{
    private readonly Lazy<string> _path;

    public ScratchDirectory(string name)
    {
        _path = new Lazy<string>(() => Directory.CreateDirectory(
            System.IO.Path.Combine(Places.Out, $"{name}-{Environment.ProcessId}")).FullName);
        AppDomain.CurrentDomain.ProcessExit += (_, _) =>
        {
            if (_path.IsValueCreated)
            {
                Directory.Delete(_path.Value, recursive: true);
            }
        };
    }

    public string Path => _path.Value;
}
