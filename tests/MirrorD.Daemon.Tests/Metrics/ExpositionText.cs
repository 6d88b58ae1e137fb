using System.Globalization;
using System.Text.RegularExpressions;

namespace MirrorD.Daemon.Tests.Metrics;

/// <summary>
/// A strict reader of the text format of Prometheus, version 0.0.4, and of what its convention asks for: HELP and TYPE once
/// before the samples of a metric, which stay together, no sample twice, histograms that add up, counters that end in _total.
/// </summary>
internal sealed partial class ExpositionText
{
    private readonly Dictionary<string, double> _samples = [];
    private readonly Dictionary<string, string> _types = [];

    public ExpositionText(string text)
    {
        Assert.EndsWith("\n", text);
        string? help = null;
        string? present = null;
        foreach (string line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } helped)
            {
                help = helped.Groups[1].Value;
            }
            else if (TypeLine().Match(line) is { Success: true } typed)
            {
                present = typed.Groups[1].Value;
                Assert.True(help == present, $"HELP right before: {line}");
                Assert.True(_types.TryAdd(present, typed.Groups[2].Value), $"once: {line}");
                Assert.True(typed.Groups[2].Value == "counter" == present.EndsWith("_total"), line);
            }
            else
            {
                Take(line, present);
            }
        }

        CheckHistograms();
    }

    /// <summary>Types of the metrics by their names, in order.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>The value of a sample, written as it is in the text.</summary>
    public double this[string sample] => _samples.TryGetValue(sample, out double value) ? value
        : throw new KeyNotFoundException($"{sample} is not among\n{string.Join('\n', _samples.Keys)}");

    public bool Has(string sample) => _samples.ContainsKey(sample);

    private void Take(string line, string? metric)
    {
        Match sample = SampleLine().Match(line);
        Assert.True(sample.Success, $"a sample: {line}");
        string name = sample.Groups[1].Value;
        string type = _types[metric!];
        Assert.True(type == "histogram" ? name == metric + "_bucket" || name == metric + "_sum" || name == metric + "_count"
            : name == metric, $"{line} belongs to {metric}");
        string[] labels = [.. sample.Groups[3].Captures.Select(label => label.Value)];
        Assert.Equal(labels.Distinct(), labels);
        double value = double.Parse(sample.Groups[4].Value, CultureInfo.InvariantCulture);
        Assert.True(_samples.TryAdd(sample.Groups[1].Value + sample.Groups[2].Value, value), $"once: {line}");
    }

    private void CheckHistograms()
    {
        var buckets = _samples.Where(sample => sample.Key.Contains("_bucket{"))
            .GroupBy(sample => BoundLabel().Replace(sample.Key, ""));
        foreach (var histogram in buckets)
        {
            double[] bounds = [.. histogram.Select(bucket => Bound(BoundLabel().Match(bucket.Key).Groups[1].Value))];
            double[] counts = [.. histogram.Select(bucket => bucket.Value)];
            Assert.Equal(bounds.Order().Distinct(), bounds);
            Assert.Equal(counts.Order(), counts);
            Assert.Equal(double.PositiveInfinity, bounds[^1]);
            Assert.Equal(counts[^1], this[histogram.Key.Replace("_bucket{", "_count{")]);
            Assert.InRange(this[histogram.Key.Replace("_bucket{", "_sum{")], 0, double.MaxValue);
        }
    }

    private static double Bound(string le) =>
        le == "+Inf" ? double.PositiveInfinity : double.Parse(le, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^# HELP ([a-z][a-z0-9_]*) [A-Z0-9][^\n]*\.$")]
    private static partial Regex HelpLine();

    [GeneratedRegex(@"^# TYPE ([a-z][a-z0-9_]*) (gauge|counter|histogram)$")]
    private static partial Regex TypeLine();

    private const string Labels = """\{(?:([a-z][a-z0-9_]*)="(?:[^"\\\n]|\\["\\n])*"(?:,(?!\})|(?=\})))+\}""";

    [GeneratedRegex("^([a-z][a-z0-9_]*)(" + Labels + ")? (-?[0-9][0-9.eE+-]*)$")]
    private static partial Regex SampleLine();

    [GeneratedRegex(",le=\"([^\"]*)\"")]
    private static partial Regex BoundLabel();
}
