using System.Globalization;
using MirrorD.Benchmarks.Results;

namespace MirrorD.Benchmarks.Studies;

/// <summary>How long is measured.</summary>
/// <param name="Rounds">How often.</param>
/// <param name="Seconds">Each time.</param>
/// <param name="Minutes">What goes on without rounds.</param>
internal sealed record StudyTerms(int Rounds, double Seconds, double Minutes);

/// <summary>What is measured in a way of its own, and not beside peers.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Title">For a reader.</param>
/// <param name="Run">Measures, tells on the console and returns how many goals were missed.</param>
internal sealed record Study(string Name, string Title, Func<StudyTerms, ResultFile, int> Run)
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<Study> All { get; } =
    [
        new("rest", "Daemons at rest, 1 and 20 resources", RestStudy.Run),
        new("resources", "Several resources with a client each, in memory", ResourcesStudy.Run),
        new("resync", "A whole resync, on a disk", (terms, file) => ResyncStudy.Run(terms, file, isInMemory: false)),
        new("resync-memory", "A whole resync, in memory", (terms, file) => ResyncStudy.Run(terms, file, isInMemory: true)),
        new("soak", "Mixed load for long, mirrored, in memory", SoakStudy.Run),
    ];

    /// <summary>Tells a wish that a figure met or missed.</summary>
    /// <returns>1 when it was missed, else 0.</returns>
    public static int Tell(string what, double value, double wanted, bool isMost, string unit = "")
    {
        bool isMet = isMost ? value <= wanted : value >= wanted;
        string wish = $"wanted {(isMost ? "≤" : "≥")} {wanted}{unit}: {(isMet ? "met" : "MISSED")}";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what} = {value:0.00}{unit}, {wish}"));
        return isMet ? 0 : 1;
    }

    /// <summary>The middle, the least and the most of some values.</summary>
    public static string Spread(IEnumerable<double> values)
    {
        double[] ordered = [.. values.Order()];
        return string.Create(
            CultureInfo.InvariantCulture, $"{ordered.Median():0.##} ({ordered[0]:0.##}–{ordered[^1]:0.##})");
    }
}
