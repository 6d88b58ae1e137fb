namespace MirrorD.Fuzz.Running;

/// <summary>Directories that the fuzzer reads and writes.</summary>
public static class Places
{
    /// <summary>Root of the repository that this program was built in.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Everything that is written, besides a corpus that is grown.</summary>
    public static string Out => Path.Combine(Root, "out", "fuzz");

    /// <summary>Failing inputs of a target.</summary>
    public static string Failures(string target) => Path.Combine(Out, "failures", target);

    /// <summary>Committed inputs of a target.</summary>
    public static string Corpus(string target) => Path.Combine(Root, "tests", "MirrorD.Fuzz", "Corpus", target);

    private static string FindRoot()
    {
        for (string? at = AppContext.BaseDirectory; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(Path.Combine(at, "MirrorD.sln")))
            {
                return at;
            }
        }

        throw new DirectoryNotFoundException($"{AppContext.BaseDirectory} does not lie in a repository with MirrorD.sln");
    }
}
