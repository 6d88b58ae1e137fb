using System.Reflection;

namespace MirrorD.Daemon.Startup;

/// <summary>
/// Loads all of the program that may ever be needed: an upgrade replaces its files while it runs, and under memory pressure
/// they may be on a disk that waits for it.
/// </summary>
internal static class AssemblyLoading
{
    // hostfxr's list of what the program may load, separated by colons.
    private const string List = "TRUSTED_PLATFORM_ASSEMBLIES";

    /// <summary>Loads what lies in the program's own directory; a runtime of its own is upgraded by itself.</summary>
    public static void LoadAll()
    {
        foreach (string file in ((string?)AppContext.GetData(List) ?? "").Split(':'))
        {
            if (file.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal))
            {
                TryLoad(Path.GetFileNameWithoutExtension(file));
            }
        }
    }

    private static void TryLoad(string name)
    {
        try
        {
            _ = Assembly.Load(new AssemblyName(name));
        }
        catch (Exception failed) when (failed is IOException or BadImageFormatException)
        {
            // For other systems: nothing loads it.
        }
    }
}
