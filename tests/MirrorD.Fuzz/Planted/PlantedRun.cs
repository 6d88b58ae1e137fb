using System.Diagnostics;
using System.Globalization;
using MirrorD.Fuzz.Coverage;
using MirrorD.Fuzz.Running;

namespace MirrorD.Fuzz.Planted;

/// <summary>
/// Plants one bug after the other in a copy of the sources, builds what it is in, and runs the fuzzer until it is found.
/// </summary>
public static class PlantedRun
{
    private const double MostSeconds = 60;

    private static string Copy => Path.Combine(Places.Out, "planted");

    /// <summary>All bugs of these targets; the exit code.</summary>
    public static int All(IReadOnlyList<FuzzTarget> targets)
    {
        PlantedBug[] bugs = [.. PlantedBugs.List.Where(bug => targets.Any(target => target.Name == bug.Target))];
        CopySources();
        int found = 0;
        for (int i = 0; i < bugs.Length; i++)
        {
            found += Try(bugs[i]) ? 1 : 0;
        }

        Console.WriteLine($"{found} found, {bugs.Length - found} not found");
        return found == bugs.Length ? 0 : 1;
    }

    private static bool Try(PlantedBug bug)
    {
        string file = Path.Combine(Copy, bug.File);
        string right = File.ReadAllText(file);
        string project = string.Join('/', bug.File.Split('/')[..2]);
        string program = Path.Combine(Copy, "program");
        try
        {
            File.WriteAllText(file, right.Replace(bug.Old, bug.New, StringComparison.Ordinal));
            InstrumentedCopy.CopyAll(AppContext.BaseDirectory, program);
            Build(project, "--no-restore", "-p:BuildProjectReferences=false", "-p:RunAnalyzers=false");
            foreach (string built in Directory.GetFiles(Path.Combine(Copy, project, "bin/Release/net10.0")))
            {
                string name = Path.GetFileNameWithoutExtension(built);
                if (name == Path.GetFileName(project)
                    || (name == "mirrord" && project.EndsWith("Daemon", StringComparison.Ordinal)))
                {
                    File.Copy(built, Path.Combine(program, Path.GetFileName(built)), overwrite: true);
                }
            }
        }
        finally
        {
            File.WriteAllText(file, right);
        }

        Launcher launcher = Launcher.Of(program, Path.Combine(Copy, "instrumented"));
        var clock = Stopwatch.StartNew();
        bool isGood = launcher.Run(
            new WorkOrder(bug.Target, MostSeconds, Seed: 1, UntilFailure: true, Grows: false, ShowsLines: false),
                isQuiet: true);
        bool isFound = !isGood && launcher.Found.Length > 0;
        string after = clock.Elapsed.TotalSeconds.ToString("f1", CultureInfo.InvariantCulture);
        Console.WriteLine($"| {bug.Target} | `{bug.File["src/".Length..]}` | {bug.Breaks} | "
            + (isFound ? $"{after} s |" : "not found |")
                + $" {launcher.Found.Replace("  found: ", "", StringComparison.Ordinal)}");
        return isFound;
    }

    // What is the same is left as it is: the build of a copy that is there already takes seconds.
    private static void CopySources()
    {
        string[] shared = ["Directory.Build.props", "Directory.Packages.props", "global.json", ".editorconfig"];
        IEnumerable<string> sources = Directory.GetFiles(Path.Combine(Places.Root, "src"), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Places.Root, file))
            .Where(file => !file.Contains("/bin/", StringComparison.Ordinal)
                && !file.Contains("/obj/", StringComparison.Ordinal));
        foreach (string file in sources.Concat(shared))
        {
            (string from, string to) = (Path.Combine(Places.Root, file), Path.Combine(Copy, file));
            if (!File.Exists(to) || !File.ReadAllBytes(from).AsSpan().SequenceEqual(File.ReadAllBytes(to)))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(from, to, overwrite: true);
                File.SetLastWriteTimeUtc(to, DateTime.UtcNow);
            }
        }

        Build("src/MirrorD.Daemon");
    }

    private static void Build(string project, params string[] more)
    {
        string[] words =
        [
            "build", project, "-c", "Release", "-v", "quiet", "-nologo", "-clp:NoSummary;ErrorsOnly", "-nodeReuse:false",
            "-p:UseSharedCompilation=false", .. more,
        ];
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = Copy, RedirectStandardOutput = true };
        Array.ForEach(words, start.ArgumentList.Add);
        using Process build = Process.Start(start)!;
        string output = build.StandardOutput.ReadToEnd();
        build.WaitForExit();
        if (build.ExitCode != 0)
        {
            throw new InvalidOperationException($"{project} does not build with the planted bug: {output}");
        }
    }
}
