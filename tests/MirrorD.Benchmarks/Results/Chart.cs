using System.Globalization;
using System.Net;
using System.Text;

namespace MirrorD.Benchmarks.Results;

/// <summary>
/// An SVG of a comparison: for each goal a group of bars with the median of each contender and its spread. Groups have
/// scales of their own: what matters in one is who is longer.
/// </summary>
internal static class Chart
{
    private const int Width = 760;
    private const int Names = 170;
    private const int Figures = 190;
    private const int Bar = 18;
    private const int Gap = 14;
    private const int Line = 22;
    private const string Stroke = "stroke=\"#333\" stroke-width=\"2\"";
    private const string Product = "#1f6f8b";
    private const string Other = "#b8c4cc";

    /// <summary>Draws it.</summary>
    public static string Draw(Comparison comparison, IReadOnlyList<string> contenders, Measurements measured)
    {
        var body = new StringBuilder();
        int y = 34;
        foreach ((Workload workload, Figure figure) in comparison.Figures)
        {
            string better = figure is Figure.MedianUs or Figure.TailUs ? "shorter is better" : "longer is better";
            Text(body, 0, y, $"{workload}, {Measurements.Unit(figure)} ({better})", "font-weight=\"bold\"");
            y += 10;
            Spread[] spreads = [.. contenders.Select(contender => measured.Of(workload, contender, figure))];
            double most = spreads.Max(spread => spread.Ordered[^1]);
            double X(double value) => Names + (value / most * (Width - Names - Figures));
            for (int i = 0; i < spreads.Length; i++, y += Line)
            {
                Spread spread = spreads[i];
                string color = contenders[i].StartsWith("mirrord", StringComparison.Ordinal) ? Product : Other;
                Text(body, Names - 8, y + 13, contenders[i], "text-anchor=\"end\"");
                double width = X(spread.Median) - Names;
                Add(body, $"<rect x=\"{Names}\" y=\"{y}\" width=\"{width:0.0}\" height=\"{Bar}\" fill=\"{color}\"/>");
                Add(body,
                    $"<path d=\"M{X(spread.Ordered[0]):0.0} {y + (Bar / 2)}H{X(spread.Ordered[^1]):0.0}\" {Stroke}/>");
                Text(body, Width - Figures + 8, y + 13, spread.ToString(), "");
            }

            y += Gap + 12;
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{y}" viewBox="0 0 {Width} {y}"
              font-family="sans-serif" font-size="13">
            <rect width="{Width}" height="{y}" fill="#fff"/>
            <text x="0" y="14" font-size="15">{WebUtility.HtmlEncode(comparison.Title)}</text>
            {body}</svg>

            """);
    }

    private static void Text(StringBuilder body, int x, int y, string text, string more) =>
        Add(body, $"<text x=\"{x}\" y=\"{y}\" {more}>{WebUtility.HtmlEncode(text)}</text>");

    private static void Add(StringBuilder body, FormattableString element) =>
        body.Append(element.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
