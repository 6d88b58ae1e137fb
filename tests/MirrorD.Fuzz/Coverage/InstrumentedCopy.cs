namespace MirrorD.Fuzz.Coverage;

/// <summary>
/// A copy of this program's directory in which the product's assemblies count their edges. It runs as a process of its
/// own, so that the assemblies that were built stay as they are.
/// </summary>
public static class InstrumentedCopy
{
    /// <summary>File with the places of the blocks.</summary>
    public const string PlacesFile = "blocks.txt";

    private static readonly string[] s_assemblies =
    [
        "MirrorD.Formats.dll", "MirrorD.Core.dll", "MirrorD.Configuration.dll", "MirrorD.Engine.dll", "MirrorD.Io.Linux.dll",
        "MirrorD.Api.dll", "mirrord.dll",
    ];

    /// <summary>Makes the copy; one that is there already is replaced.</summary>
    /// <param name="from">Directory with the program as it was built.</param>
    /// <param name="to">Directory of the copy.</param>
    public static void Make(string from, string to)
    {
        if (Directory.Exists(to))
        {
            Directory.Delete(to, recursive: true);
        }

        CopyAll(from, to);
        var instrumenter = new Instrumenter();
        foreach (string assembly in s_assemblies)
        {
            instrumenter.Instrument(Path.Combine(to, assembly));
        }

        if (instrumenter.Places.Count > EdgeCounters.MostBlocks)
        {
            throw new InvalidOperationException(
                $"{instrumenter.Places.Count} blocks are more than {EdgeCounters.MostBlocks}");
        }

        LineCoverage.Store(Path.Combine(to, PlacesFile), instrumenter.Places);
    }

    /// <summary>Copies a directory with all that is in it; what stands there already is overwritten.</summary>
    public static void CopyAll(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }
}
