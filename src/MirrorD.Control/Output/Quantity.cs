using System.Globalization;

namespace MirrorD.Control.Output;

/// <summary>Sizes and times for a reader.</summary>
internal static class Quantity
{
    private static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>Three significant digits with a binary unit, e.g. "1.5 GiB".</summary>
    public static string Bytes(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < s_units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string format = unit == 0 || value >= 100 ? "0" : value >= 10 ? "0.#" : "0.##";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {s_units[unit]}";
    }

    /// <summary>The two largest parts, e.g. "2 h 5 min".</summary>
    public static string Seconds(long seconds)
    {
        TimeSpan span = TimeSpan.FromSeconds(seconds);
        return span switch
        {
            { TotalDays: >= 1 } => $"{(int)span.TotalDays} d {span.Hours} h",
            { TotalHours: >= 1 } => $"{span.Hours} h {span.Minutes} min",
            { TotalMinutes: >= 1 } => $"{span.Minutes} min {span.Seconds} s",
            _ => $"{span.Seconds} s",
        };
    }

    /// <summary>Below ten seconds exact to a tenth, e.g. "4.2 s"; else as <see cref="Seconds"/>.</summary>
    public static string Milliseconds(long milliseconds) => milliseconds < 10_000
        ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s")
        : Seconds(milliseconds / 1000);

    /// <summary>Two or three digits, e.g. "85µs", "2.5ms", "12s"; "long" when it is longer than the scale.</summary>
    public static string Microseconds(long? microseconds) => microseconds switch
    {
        null => "long",
        < 1_000 => $"{microseconds}µs",
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e3:0.0}ms"),
        < 1_000_000 => $"{microseconds / 1_000}ms",
        _ => string.Create(CultureInfo.InvariantCulture, $"{microseconds / 1e6:0.0}s"),
    };

    /// <summary>"verify 42 % of 10 GiB, all equal", or what the last one found.</summary>
    public static string Verify(Api.VerifyReport verify)
    {
        long found = verify.DifferentBytes + verify.UnreadableBytes;
        string result = found == 0 ? "all equal"
            : $"{Bytes(verify.DifferentBytes)} different, {Bytes(verify.UnreadableBytes)} unreadable, "
                + $"{Bytes(verify.RepairedBytes)} repaired";
        if (verify.EndedAt is null && verify.TotalBytes is { } total)
        {
            double percent = total <= 0 ? 100 : 100.0 * verify.ComparedBytes / total;
            return string.Create(
                CultureInfo.InvariantCulture, $"verify {Math.Floor(percent):0} % of {Bytes(total)}, {result}");
        }

        string early = verify.EndedEarly is { } reason ? $", ended early: {reason}" : "";
        return $"last verify {verify.EndedAt?.ToLocalTime():yyyy-MM-dd HH:mm}, {Bytes(verify.ComparedBytes)} compared, "
            + $"{result}{early}";
    }

    /// <summary>"42 % of 10 GiB, 110 MiB/s, 53 s left".</summary>
    public static string Progress(Api.ResyncReport resync)
    {
        long done = Math.Max(0, resync.TotalBytes - resync.RemainingBytes);
        double percent = resync.TotalBytes <= 0 ? 100 : 100.0 * done / resync.TotalBytes;
        string left = resync.SecondsLeft is { } seconds ? $"{Seconds(seconds)} left" : "time left unknown";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Math.Floor(percent):0} % of {Bytes(resync.TotalBytes)}, {Bytes(resync.BytesPerSecond)}/s, " +
            $"{left}");
    }
}
