using System.Diagnostics;
using System.Globalization;
using MirrorD.Fuzz.Coverage;
using MirrorD.Fuzz.Targets;

namespace MirrorD.Fuzz.Running;

/// <summary>The part of the fuzzer that runs in a process with instrumented assemblies: one target, one seed.</summary>
public static class Worker
{
    /// <summary>Lines of each file of a parser that the inputs have to run, in percent.</summary>
    public const double LeastCoverage = 90;

    private const int MostCpuMs = 2000;

    // What is committed stays small: 24 targets, two digits a byte.
    private const int MostCorpusBytes = 20 * 1024;
    private const int MostInputBytes = 1900;

    /// <summary>Carries the order out; the exit code.</summary>
    public static int Work(WorkOrder order)
    {
        FuzzTarget target = AllTargets.Find(order.Target);
        Directory.CreateDirectory(Places.Out);
        using var execution = new Execution(target, new CurrentInput(order.CurrentInputFile, MostCpuMs));
        var fuzzer = new Fuzzer(target, execution, order.Seed);
        var clock = Stopwatch.StartNew();
        fuzzer.Begin([.. target.Seeds(), .. Corpus.Load(Places.Corpus(target.Name))]);
        (long begun, TimeSpan beganAt) = (execution.Count, clock.Elapsed);
        fuzzer.Run(TimeSpan.FromSeconds(order.Seconds), untilFailure: order.UntilFailure);
        double seconds = Math.Max(0.001, (clock.Elapsed - beganAt).TotalSeconds);
        Say($"{target.Name}: seed {order.Seed}, {execution.Count - begun} executions in {seconds:f1} s "
            + $"({(execution.Count - begun) / seconds:f0}/s), {fuzzer.Kept.Count} inputs, {execution.Edges} edges");
        bool isCovered = ShowCoverage(target, order.ShowsLines);
        if (order.Grows)
        {
            Grow(target, fuzzer.Kept);
        }

        if (order.UntilFailure && fuzzer.Failures.Count > 0)
        {
            Say($"  found: {fuzzer.Failures.First().Failure.Kind}");
            return 1;
        }

        foreach ((byte[] input, Failure failure) in fuzzer.Failures)
        {
            byte[] small = Minimiser.Shrink(target, execution, input, failure);
            Report(target.Name, small, failure);
        }

        return fuzzer.Failures.Count > 0 || !isCovered ? 1 : 0;
    }

    /// <summary>Runs one input, and says what comes of it.</summary>
    public static int Replay(string name, string file)
    {
        FuzzTarget target = AllTargets.Find(name);
        using var execution = new Execution(target, current: null);
        Failure? failure = execution.Run(Corpus.Read(file));
        Say(failure is null ? $"{name}: nothing is wrong with {file}" : failure.Text);
        return failure is null ? 0 : 1;
    }

    /// <summary>Keeps a failing input and says how it is run again.</summary>
    public static void Report(string target, byte[] input, Failure failure)
    {
        string file = Corpus.Write(Places.Failures(target), input, failure.Kind);
        Say($"{target}: {failure.Kind}");
        Say(failure.Text);
        Say($"  again: tests/fuzz replay {target} {Path.GetRelativePath(Places.Root, file)}");
    }

    private static bool ShowCoverage(FuzzTarget target, bool withLines)
    {
        string places = Path.Combine(AppContext.BaseDirectory, InstrumentedCopy.PlacesFile);
        if (!File.Exists(places))
        {
            return true;
        }

        LineCoverage coverage = LineCoverage.Load(places);
        bool isCovered = true;
        foreach (string file in target.Files)
        {
            (int[] all, int[] ran) = coverage.Of(file);
            double percent = all.Length == 0 ? 0 : 100.0 * ran.Length / all.Length;
            isCovered &= percent >= LeastCoverage;
            if (withLines || percent < LeastCoverage)
            {
                Say($"  {percent,5:f1} % of {all.Length,3} lines  {file}"
                    + (percent < 100 ? $"  not: {string.Join(' ', all.Except(ran))}" : ""));
            }
        }

        return isCovered;
    }

    // Real inputs are made by the target itself at each start: only what they lack is kept.
    private static void Grow(FuzzTarget target, IReadOnlyList<byte[]> kept)
    {
        using var fresh = new Execution(target, current: null);
        foreach (byte[] seed in target.Seeds())
        {
            fresh.Run(seed);
            fresh.Learn();
        }

        List<byte[]> few = Minimiser.Distil(fresh, kept, MostCorpusBytes, MostInputBytes);
        string directory = Places.Corpus(target.Name);
        if (Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }

        foreach (byte[] input in few)
        {
            Corpus.Write(directory, input);
        }

        Say($"  corpus: {few.Count} inputs, {few.Sum(each => each.Length)} bytes");
    }

    private static void Say(FormattableString text) => Console.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private static void Say(string text) => Console.WriteLine(text);
}
