using System.Globalization;

namespace MirrorD.Configuration.Reading;

/// <summary>Durations ("5s"), sizes ("16MiB") and rates ("100MiB/s") with their units.</summary>
public static class Quantities
{
    private static readonly (string Unit, double Milliseconds)[] s_durations =
        [("ms", 1), ("s", 1000), ("min", 60_000), ("m", 60_000), ("h", 3_600_000)];

    private static readonly (string Unit, double Bytes)[] s_sizes =
    [
        ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40),
        ("kB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1),
    ];

    /// <summary>Milliseconds; null when it is no duration.</summary>
    public static long? Duration(string text) => Parse(text, s_durations);

    /// <summary>Bytes; null when it is no size.</summary>
    public static long? Size(string text) => Parse(text, s_sizes);

    /// <summary>Bytes per second; null when it is no rate.</summary>
    public static long? Rate(string text) => text.EndsWith("/s", StringComparison.Ordinal)
        ? Parse(text[..^2], s_sizes)
        : null;

    private static long? Parse(string text, (string Unit, double Factor)[] units)
    {
        foreach ((string unit, double factor) in units)
        {
            if (text.EndsWith(unit, StringComparison.Ordinal)
                && double.TryParse(
                    text.AsSpan(0, text.Length - unit.Length).TrimEnd(), NumberStyles.AllowDecimalPoint,
                    CultureInfo.InvariantCulture, out double number))
            {
                double value = Math.Round(number * factor);
                return value < long.MaxValue ? (long)value : null;
            }
        }

        return null;
    }
}
