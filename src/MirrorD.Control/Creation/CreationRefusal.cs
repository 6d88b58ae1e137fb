namespace MirrorD.Control.Creation;

/// <summary>A device can't be used as it is.</summary>
internal static class CreationRefusal
{
    public static CommandFailure Of(string path, string problem, string remedy) =>
        new(ExitCode.Failed, $"{path} {problem}", remedy);
}
