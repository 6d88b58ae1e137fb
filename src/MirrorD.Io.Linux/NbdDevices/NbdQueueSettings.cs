using System.Globalization;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>Settings of a device's request queue that only sysfs takes.</summary>
public sealed record NbdQueueSettings
{
    /// <summary>
    /// Per-request timer. After the socket died, a request that had been sent already is sent again only when
    /// this has run out once more, which the kernel looks at every second: the pause of a restart lasts up to
    /// this and a second. The kernel's own 30 s is too long. A request on a live socket is never given up,
    /// but each time it runs out the kernel logs a line ("Possible stuck request").
    /// </summary>
    public int RequestTimeoutMs { get; init; } = 2000;

    /// <summary>
    /// Largest request in KiB, lowered to what the driver allows; null: as the kernel has it. The kernel may
    /// have 128 of them under way at once.
    /// </summary>
    public int? MaxRequestKiB { get; init; }

    /// <summary>
    /// Writes the settings. Some wait for requests that are under way, so the device must be served
    /// meanwhile.
    /// </summary>
    /// <param name="index">Number of the device.</param>
    /// <returns>A sentence for each setting that could not be made; none of them is fatal.</returns>
    public IReadOnlyList<string> Apply(int index) => Apply(index, "/sys/block");

    /// <summary>The same below another directory than /sys/block.</summary>
    internal IReadOnlyList<string> Apply(int index, string devices)
    {
        string queue = Path.Combine(devices, $"nbd{index}", "queue");
        List<string> warnings = [];
        Set(queue, "io_timeout", RequestTimeoutMs.ToString(CultureInfo.InvariantCulture), warnings);

        // The daemon orders and merges nothing twice, and a scheduler adds latency.
        Set(queue, "scheduler", "none", warnings);
        if (MaxRequestKiB is { } wanted)
        {
            Set(queue, "max_sectors_kb", Clamp(queue, wanted, warnings), warnings);
        }

        return warnings;
    }

    private static string Clamp(string queue, int wantedKiB, List<string> warnings)
    {
        string file = Path.Combine(queue, "max_hw_sectors_kb");
        try
        {
            int most = int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
            return int.Min(wantedKiB, most).ToString(CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            warnings.Add($"{file} can't be read: {e.Message}");
            return wantedKiB.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static void Set(string queue, string name, string value, List<string> warnings)
    {
        string file = Path.Combine(queue, name);
        try
        {
            // Not created and not truncated: sysfs knows neither.
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            stream.Write(System.Text.Encoding.ASCII.GetBytes(value));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warnings.Add($"{file} could not be set to {value}: {e.Message}");
        }
    }
}
