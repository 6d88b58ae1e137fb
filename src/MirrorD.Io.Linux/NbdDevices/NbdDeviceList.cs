using System.Globalization;

namespace MirrorD.Io.Linux.NbdDevices;

/// <summary>The nbd devices that sysfs shows.</summary>
public static class NbdDeviceList
{
    // Documentation/ABI: sizes in /sys/block are in these units, whatever the device's own block.
    private const int SectorBytes = 512;

    /// <summary>
    /// All with a backend, in the order of their numbers. Only the driver tells whether they are configured: as far as
    /// this says, none is.
    /// </summary>
    /// <param name="root">/, or a directory that stands for it.</param>
    public static IReadOnlyList<NbdDevice> Read(string root) =>
        Read(Path.Combine(root, "sys/block"), new HashSet<int>());

    /// <summary>The same with what the driver tells.</summary>
    /// <param name="devices">/sys/block, or what stands for it.</param>
    /// <param name="configured">Numbers of configured devices.</param>
    internal static List<NbdDevice> Read(string devices, IReadOnlySet<int> configured)
    {
        List<NbdDevice> found = [];
        foreach (string directory in Directory.EnumerateDirectories(devices, "nbd*"))
        {
            string number = Path.GetFileName(directory)["nbd".Length..];
            if (int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index)
                && Text(directory, "backend") is { Length: > 0 } backend)
            {
                found.Add(new NbdDevice(
                    index,
                    backend,
                    Number(Text(directory, "size")) * SectorBytes ?? 0,
                    (int?)Number(Text(directory, "pid")),
                    configured.Contains(index)));
            }
        }

        return [.. found.OrderBy(device => device.Index)];
    }

    private static long? Number(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;

    private static string? Text(string directory, string name) =>
        SystemFile.TryRead(Path.Combine(directory, name))?.TrimEnd('\n');
}
