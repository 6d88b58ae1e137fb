using System.Globalization;
using MirrorD.Daemon.Processes;

namespace MirrorD.Daemon.Snapshots;

/// <summary>The host's LVM, by its program: lvm(8), lvs(8), lvcreate(8).</summary>
internal static class Lvm
{
    private const string Program = "/usr/sbin/lvm";
    private const int LookTimeoutMs = 60_000;

    private static readonly string[] s_columns =
        ["vg_name", "lv_name", "segtype", "pool_lv", "lv_size", "data_percent", "metadata_percent", "lv_time"];

    private static readonly Dictionary<string, string> s_environment = new()
    {
        ["LC_ALL"] = "C",
        ["LVM_SUPPRESS_FD_WARNINGS"] = "1",
    };

    // LVM reads all block devices to find its own: also those that this daemon has to serve, and may not serve just then.
    private static readonly Lazy<string> s_filter = new(() => WithoutNbd(Filter()));

    /// <summary>It is installed.</summary>
    public static bool IsThere => File.Exists(Program);

    /// <summary>
    /// Changes something. Without deadline: killed in the middle it would leave a volume standing still.
    /// </summary>
    /// <param name="words">Its command and arguments.</param>
    /// <exception cref="IOException">It failed; the message has what it printed last.</exception>
    public static void Change(params IReadOnlyList<string> words) =>
        Run(int.MaxValue, [words[0], "--quiet", "--config", s_filter.Value, .. words.Skip(1)]);

    private static List<string> Run(int timeoutMs, IReadOnlyList<string> words)
    {
        List<string> lines = [];
        void Keep(string line)
        {
            lock (lines)
            {
                lines.Add(line.Trim());
            }
        }

        string? problem = new ChildProcess
        {
            Program = Program,
            Arguments = words,
            Environment = s_environment,
            TimeoutMs = timeoutMs,
            Output = Keep,
        }.Run(CancellationToken.None).GetAwaiter().GetResult();
        lock (lines)
        {
            return problem is null ? lines
                : throw new IOException($"lvm {words[0]} {problem}{(lines.Count > 0 ? ": " + lines[^1] : "")}");
        }
    }

    /// <summary>What there is in a volume group, or one volume of it.</summary>
    /// <param name="of">A name of a group, or the path of a device.</param>
    /// <exception cref="IOException">It can't be asked.</exception>
    public static IReadOnlyList<LogicalVolume> List(string of) => Read(Run(LookTimeoutMs, [
        "lvs", "--noheadings", "--nosuffix", "--units", "b", "--separator", "|", "--config",
        s_filter.Value + " report/time_format=\"%s\"", "--options", string.Join(',', s_columns), of]));

    /// <summary>Reads what lvs printed; lines that are something else are passed over.</summary>
    public static IReadOnlyList<LogicalVolume> Read(IEnumerable<string> lines) =>
    [
        .. from line in lines
           let cells = line.Split('|', StringSplitOptions.TrimEntries)
           where cells.Length == s_columns.Length && long.TryParse(cells[4], CultureInfo.InvariantCulture, out _)
           select new LogicalVolume
           {
               Group = cells[0],
               Name = cells[1],
               IsThin = cells[2] == "thin",
               Pool = cells[3],
               LengthBytes = long.Parse(cells[4], CultureInfo.InvariantCulture),
               DataPercent = Percent(cells[5]),
               MetadataPercent = Percent(cells[6]),
               MadeAt = DateTimeOffset.FromUnixTimeSeconds(
                   long.TryParse(cells[7], CultureInfo.InvariantCulture, out long seconds) ? seconds : 0),
           },
    ];

    /// <summary>The host's filter of devices, with this in front of it that leaves out those of nbd.</summary>
    /// <param name="filter">As lvmconfig(8) prints it: filter=["a|.*|"]; null when there is none.</param>
    public static string WithoutNbd(string? filter)
    {
        string rest = filter is null ? "" : filter[(filter.IndexOf('=', StringComparison.Ordinal) + 1)..].Trim('[', ']', ' ');
        return $"devices/filter=[\"r|/nbd[0-9]|\"{(rest.Length > 0 ? "," + rest : "")}]";
    }

    private static string? Filter()
    {
        try
        {
            return Run(LookTimeoutMs, ["lvmconfig", "devices/filter"])
                .Find(line => line.StartsWith("filter=", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            // It says so with an error when there is none.
            return null;
        }
    }

    // Empty for what is not active, or has none.
    private static double? Percent(string cell) =>
        double.TryParse(cell, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double percent)
            ? percent : null;
}
