using MirrorD.Daemon.Processes;

namespace MirrorD.Daemon.Startup;

/// <summary>
/// What systemd is about to do with this service. A signal does not tell a restart from a stop; systemctl does.
/// </summary>
internal static class ServiceManager
{
    private const string Systemctl = "/usr/bin/systemctl";
    private const string ControlGroupFile = "/proc/self/cgroup";
    private const int AnswerMs = 5000;

    /// <summary>Asks why this process was asked to end. Without systemd, or an answer, it is a stop.</summary>
    public static async Task<StopReason> WhyStop()
    {
        if (Environment.GetEnvironmentVariable("INVOCATION_ID") is null || !File.Exists(Systemctl)
            || UnitOf(await File.ReadAllLinesAsync(ControlGroupFile)) is not { } unit)
        {
            return StopReason.Stop;
        }

        // Both at once: a shutdown has no time to lose.
        Task<IReadOnlyList<string>> state = Ask("is-system-running");
        return Reason(await Ask("list-jobs", "--no-legend", "--no-pager"), unit, await state);
    }

    /// <summary>The unit that a process belongs to, by its control group (cgroups(7)); null when it is of none.</summary>
    /// <param name="lines">"0::/system.slice/mirrord.service", or one line for each hierarchy.</param>
    internal static string? UnitOf(IEnumerable<string> lines) => lines
        .SelectMany(line => line.Split('/'))
        .LastOrDefault(part => part.EndsWith(".service", StringComparison.Ordinal));

    /// <summary>Reads what systemctl said.</summary>
    /// <param name="jobs">Lines of number, unit, type and state.</param>
    /// <param name="unit">This service.</param>
    /// <param name="state">The state of the whole system.</param>
    internal static StopReason Reason(IReadOnlyList<string> jobs, string unit, IReadOnlyList<string> state)
    {
        bool restarts = jobs
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(words => words.Length >= 3 && words[1] == unit && words[2] is "restart" or "try-restart");
        return state.Contains("stopping") ? StopReason.HostStops : restarts ? StopReason.Restart : StopReason.Stop;
    }

    private static async Task<IReadOnlyList<string>> Ask(params string[] arguments)
    {
        var lines = new List<string>();
        var question = new ChildProcess
        {
            Program = Systemctl,
            Arguments = arguments,
            TimeoutMs = AnswerMs,
            Output = line =>
            {
                lock (lines)
                {
                    lines.Add(line.Trim());
                }
            },
        };

        // Its exit code tells of the system, not of the question.
        await question.Run(CancellationToken.None);
        lock (lines)
        {
            return [.. lines];
        }
    }
}
