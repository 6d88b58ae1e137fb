using System.Globalization;
using System.Text.RegularExpressions;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Processes;

namespace MirrorD.Lab.Clients;

/// <summary>
/// Strangers at a TCP port, from a host (tests/MirrorD.Flood): always so many of them are connected or want to be. Where one is
/// closed by the other side, the next one comes. They have the second half of the processors: strangers are elsewhere.
/// </summary>
public sealed partial class PortFlood
{
    private static int s_floods;
    private readonly LabProcess _process;
    private readonly string _what;

    /// <summary>Begins.</summary>
    /// <param name="host">Where the strangers are.</param>
    /// <param name="from">Their address there.</param>
    /// <param name="to">Address of the port.</param>
    /// <param name="port">The port.</param>
    /// <param name="connections">So many at a time.</param>
    public PortFlood(Host host, string from, string to, int port, int connections)
    {
        _what = $"{to}:{port}";
        _process = host.Start(
            $"flood-{Interlocked.Increment(ref s_floods)}", "taskset", "--cpu-list", Processors.Second,
            "dotnet", Path.Combine(AppContext.BaseDirectory, "MirrorD.Flood.dll"), from, $"{to}:{port}", $"{connections}");
    }

    /// <summary>Attempts so far.</summary>
    public int Begun => Told().Select(told => int.Parse(told.Groups[1].Value, CultureInfo.InvariantCulture)).LastOrDefault();

    /// <summary>Ends them all.</summary>
    public void End() => _process.Kill();

    public override string ToString() => $"{_what}: {Told().LastOrDefault()?.Value ?? _process.Tail()}";

    private MatchCollection Told() => Line().Matches(_process.Output);

    [GeneratedRegex(@"^([0-9]+) begun, [0-9]+ connected, [0-9]+ closed$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
