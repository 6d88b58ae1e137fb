namespace MirrorD.Engine.Tests.Nbd;

/// <summary>Needs programs of the distribution; skipped, with the reason, where one is missing.</summary>
public sealed class RealClientsFactAttribute : FactAttribute
{
    public RealClientsFactAttribute(params string[] programs)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string? missing = programs.FirstOrDefault(program =>
            !folders.Any(folder => File.Exists(Path.Combine(folder, program))));
        Skip = missing is null ? null : $"{missing} is not installed";
    }
}
