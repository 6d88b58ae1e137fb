namespace MirrorD.Io.Tests.Linux;

/// <summary>A test that needs root and some commands; where they are missing it is skipped and says why.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute(params string[] commands) => Skip = RootNeeds.Missing(commands);
}

/// <summary>The same for a theory.</summary>
internal sealed class RootTheoryAttribute : TheoryAttribute
{
    public RootTheoryAttribute(params string[] commands) => Skip = RootNeeds.Missing(commands);
}

/// <summary>What is missing for a test.</summary>
internal static class RootNeeds
{
    private static readonly string[] Directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>A sentence, or null when nothing is missing.</summary>
    public static string? Missing(string[] commands)
    {
        if (Environment.UserName != "root")
        {
            return "needs root";
        }

        string[] missing =
        [
            .. commands.Where(command => !Directories.Any(directory => File.Exists($"{directory}/{command}"))),
        ];
        return missing.Length == 0 ? null : $"needs the commands {string.Join(", ", missing)}";
    }
}
