using System.Globalization;

namespace MirrorD.Fuzz.Running;

/// <summary>What a process with instrumented assemblies is to do; passed on its command line.</summary>
/// <param name="Target">Name of the target.</param>
/// <param name="Seconds">Time for the loop.</param>
/// <param name="Seed">Seed of the loop.</param>
/// <param name="UntilFailure">One failure is enough.</param>
/// <param name="Grows">What was found goes into the committed corpus.</param>
/// <param name="ShowsLines">Each file's coverage is shown with the lines that did not run.</param>
public sealed record WorkOrder(string Target, double Seconds, ulong Seed, bool UntilFailure, bool Grows, bool ShowsLines)
{
    /// <summary>File in which the process keeps the input that runs.</summary>
    public string CurrentInputFile => Path.Combine(Places.Out, $"current-{Target}-{Launcher}");

    /// <summary>Process that gave the order: what runs beside it has files of its own.</summary>
    public int Launcher { get; private init; } = Environment.ProcessId;

    /// <summary>The words of the command line.</summary>
    public string[] ToWords() =>
    [
        "work", Target, Seconds.ToString(CultureInfo.InvariantCulture), Seed.ToString(CultureInfo.InvariantCulture),
        UntilFailure.ToString(), Grows.ToString(), ShowsLines.ToString(), Launcher.ToString(CultureInfo.InvariantCulture),
    ];

    /// <summary>Reads what <see cref="ToWords"/> has made.</summary>
    public static WorkOrder From(IReadOnlyList<string> words) => new(
        words[1], double.Parse(words[2], CultureInfo.InvariantCulture), ulong.Parse(words[3], CultureInfo.InvariantCulture),
        bool.Parse(words[4]), bool.Parse(words[5]), bool.Parse(words[6]))
    {
        Launcher = int.Parse(words[7], CultureInfo.InvariantCulture),
    };
}
