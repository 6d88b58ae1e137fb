using System.Globalization;

namespace MirrorD.Benchmarks.Results;

/// <summary>What was measured, of all rounds.</summary>
internal sealed class Measurements
{
    private readonly Dictionary<(Workload Workload, string Contender), List<Figures>> _rounds = [];

    /// <summary>Adds a round's.</summary>
    public void Add(Workload workload, string contender, Figures figures)
    {
        if (!_rounds.TryGetValue((workload, contender), out List<Figures>? rounds))
        {
            _rounds.Add((workload, contender), rounds = []);
        }

        rounds.Add(figures);
    }

    /// <summary>A figure over the rounds.</summary>
    public Spread Of(Workload workload, string contender, Figure figure) => new(
        [.. _rounds[(workload, contender)].Select(figures => Value(figures, figure)).Order()], figure);

    /// <summary>
    /// The ratio of two contenders' medians. A round of one and the same round of the other are close to each other, but a
    /// busy machine is another one each second: the ratios of the rounds tell how far the median can be trusted.
    /// </summary>
    /// <returns>Ratio of the medians, and the least and the most of the rounds.</returns>
    public (double Ratio, double Least, double Most) Ratio(Goal goal)
    {
        List<Figures> of = _rounds[(goal.Workload, goal.Of)];
        Workload other = goal.AgainstWorkload ?? goal.Workload;
        List<Figures> against = _rounds[(other, goal.Against)];
        double[] rounds = [.. of.Zip(against, (one, two) => Value(one, goal.Figure) / Value(two, goal.Figure)).Order()];
        return (
            Of(goal.Workload, goal.Of, goal.Figure).Median / Of(other, goal.Against, goal.Figure).Median,
            rounds[0], rounds[^1]);
    }

    /// <summary>A value as its figure is told.</summary>
    public static double Value(Figures figures, Figure figure) => figure switch
    {
        Figure.PerSecond => figures.PerSecond,
        Figure.Megabytes => figures.BytesPerSecond / 1e6,
        Figure.MedianUs => figures.MedianUs,
        Figure.TailUs => figures.TailUs,
    };

    /// <summary>Its unit.</summary>
    public static string Unit(Figure figure) => figure switch
    {
        Figure.PerSecond => "/s",
        Figure.Megabytes => "MB/s",
        Figure.MedianUs => "µs p50",
        Figure.TailUs => "µs p99",
    };
}

/// <summary>A figure over the rounds.</summary>
/// <param name="Ordered">Its values, the least first.</param>
/// <param name="Figure">What it is.</param>
internal sealed record Spread(IReadOnlyList<double> Ordered, Figure Figure)
{
    /// <summary>The one in the middle.</summary>
    public double Median => Ordered.Median();

    public override string ToString() =>
        $"{Told(Median)} {Measurements.Unit(Figure)} ({Told(Ordered[0])}–{Told(Ordered[^1])})";

    private static string Told(double value) =>
        value.ToString(value < 10 ? "0.0" : "0", CultureInfo.InvariantCulture);
}
