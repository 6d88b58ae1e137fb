using System.Globalization;
using System.Net;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Takeover;

/// <summary>
/// Names what this process holds, for the release helper (systemd/mirrord-release) that removes it when the
/// process has died. Lines: <c>mirrord-held 1 PID START</c> (process, and its start from field 22 of
/// /proc/PID/stat, as a later process may get the same number), then <c>INTERFACE ADDRESS/PREFIX</c> for each
/// address. It is there before the first address is, and goes after the last.
/// </summary>
/// <param name="path">The file; null: there is none.</param>
internal sealed class HeldAddressFile(string? path)
{
    private readonly Lock _gate = new();
    private bool _isWritten;

    /// <summary>
    /// Writes the file as a whole if it is not there yet, unless the right to hold ended before.
    /// </summary>
    /// <returns>A sentence when it can't be written, else null.</returns>
    public string? Write(IEnumerable<ServiceAddressConfiguration> addresses, Func<bool> mayHold) => Try(() =>
    {
        if (path is null || !mayHold() || (_isWritten && File.Exists(path)))
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        string process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        string[] lines =
        [
            $"mirrord-held 1 {process} {StartOfThisProcess()}",
            .. addresses.Select(each => $"{each.Interface} {each.Address}/{each.PrefixLength}"),
        ];
        File.WriteAllLines(path + ".new", lines);
        File.Move(path + ".new", path, overwrite: true);
        _isWritten = true;
    });

    /// <summary>What an earlier process held; what can't be read is left out.</summary>
    public IReadOnlyList<ServiceAddressConfiguration> Listed()
    {
        var listed = new List<ServiceAddressConfiguration>();
        Try(() =>
        {
            foreach (string line in path is not null && File.Exists(path) ? File.ReadLines(path).Skip(1) : [])
            {
                if (line.Split(' ', '/') is [var device, var address, var prefix]
                    && IPAddress.TryParse(address, out IPAddress? parsed)
                    && int.TryParse(prefix, NumberStyles.None, CultureInfo.InvariantCulture, out int bits)
                    && device.Length > 0 && bits <= 8 * parsed.GetAddressBytes().Length)
                {
                    listed.Add(new ServiceAddressConfiguration(parsed, bits, device));
                }
            }
        });
        return listed;
    }

    /// <summary>Removes the file, unless addresses are held again.</summary>
    /// <returns>A sentence when it can't be removed, else null.</returns>
    public string? Remove(Func<bool> isStillWanted) => Try(() =>
    {
        if (path is not null && isStillWanted() && File.Exists(path))
        {
            File.Delete(path);
            _isWritten = false;
        }
    });

    private static string StartOfThisProcess()
    {
        // The second field is the name in parentheses, which may contain anything: field 3 is after the last
        // parenthesis.
        string status = File.ReadAllText("/proc/self/stat");
        return status[(status.LastIndexOf(')') + 2)..].Split(' ')[22 - 3];
    }

    private string? Try(Action action)
    {
        lock (_gate)
        {
            try
            {
                action();
                return null;
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                return $"The list of held addresses {path} can't be written: {failed.Message}";
            }
        }
    }
}
