using System.Globalization;
using System.Text;

namespace MirrorD.Daemon.Metrics;

/// <summary>
/// Writes samples in the text format of Prometheus, version 0.0.4: each metric once, with all its samples behind it.
/// </summary>
internal sealed class MetricsText
{
    /// <summary>Content type of the text.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new(16 * 1024);
    private string _name = "";

    /// <summary>Begins a metric.</summary>
    public void Begin(Metric metric)
    {
        _name = metric.Name;
        _text.Append("# HELP ").Append(_name).Append(' ').Append(metric.Help.Replace("\\", "\\\\").Replace("\n", "\\n"))
            .Append("\n# TYPE ").Append(_name).Append(' ').Append(metric.Type).Append('\n');
    }

    /// <summary>Adds a sample of the metric that was begun last.</summary>
    public void Add(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Add("", value, labels);

    /// <summary>The same, of a part of a histogram.</summary>
    public void Add(string suffix, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(_name).Append(suffix);
        char before = '{';
        foreach ((string name, string labelled) in labels)
        {
            _text.Append(before).Append(name).Append("=\"").Append(Escaped(labelled)).Append('"');
            before = ',';
        }

        _text.Append(before == ',' ? "} " : " ").Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    public override string ToString() => _text.ToString();

    private static string Escaped(string value) =>
        value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
}
