namespace MirrorD.Engine.Tests.Nbd;

/// <summary>A test with a program from the distribution; skipped, with the reason, where it is not installed.</summary>
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
