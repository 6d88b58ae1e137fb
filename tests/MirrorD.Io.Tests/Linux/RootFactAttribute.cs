namespace MirrorD.Io.Tests.Linux;

/// <summary>
/// A test that needs root and some commands; where they are missing it is skipped and says why.
/// </summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute(params string[] commands)
    {
        if (Environment.UserName != "root")
        {
            Skip = "needs root";
            return;
        }

        string[] directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];
        IEnumerable<string> missing =
            commands.Where(command => !directories.Any(directory => File.Exists($"{directory}/{command}")));
        if (missing.Any())
        {
            Skip = $"needs the commands {string.Join(", ", missing)}";
        }
    }
}
