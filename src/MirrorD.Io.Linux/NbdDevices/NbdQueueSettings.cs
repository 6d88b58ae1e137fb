using System.Globalization;
using System.Text;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>
/// Settings of a device's request queue that only sysfs takes. Not its scheduler: setting that waits, in every kernel,
/// for requests that are under way, and a process that dies meanwhile while it should answer them never quite ends.
/// The udev rule sets it.
/// </summary>
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
    /// Makes the settings that are not made yet. Some kernels (6.11 to 6.13 for each of them) wait for requests that
    /// are under way, so the device must be served meanwhile.
    /// </summary>
    /// <param name="index">Number of the device.</param>
    /// <returns>A sentence for each setting that could not be made; none of them is fatal.</returns>
    public IReadOnlyList<string> Apply(int index) => Apply(index, "/sys/block");

    /// <summary>The same below another directory than /sys/block.</summary>
    internal IReadOnlyList<string> Apply(int index, string devices)
    {
        string queue = Path.Combine(devices, $"nbd{index}", "queue");
        List<string> warnings = [];
        Set(queue, "io_timeout", RequestTimeoutMs, warnings);
        if (MaxRequestKiB is { } wanted)
        {
            Set(queue, "max_sectors_kb", Clamp(queue, wanted, warnings), warnings);
        }

        return warnings;
    }

    private static int Clamp(string queue, int wantedKiB, List<string> warnings)
    {
        string file = Path.Combine(queue, "max_hw_sectors_kb");
        try
        {
            return int.Min(wantedKiB, Read(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            warnings.Add($"{file} can't be read: {e.Message}");
            return wantedKiB;
        }
    }

    private static void Set(string queue, string name, int value, List<string> warnings)
    {
        string file = Path.Combine(queue, name);
        try
        {
            if (Read(file) == value)
            {
                return;
            }

            // Not created and not truncated: sysfs knows neither.
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 0);
            stream.Write(Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            warnings.Add($"{file} could not be set to {value}: {e.Message}");
        }
    }

    private static int Read(string file) => int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture);
}
