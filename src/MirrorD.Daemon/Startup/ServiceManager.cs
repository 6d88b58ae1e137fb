using System.Diagnostics;
using MirrorD.Daemon.Processes;

namespace MirrorD.Daemon.Startup;

/// <summary>
/// What systemd is about to do with this service. A signal does not tell a restart from a stop; systemctl does.
/// </summary>
internal static class ServiceManager
{
    /// <summary>How long it is asked, all in all; everything is served meanwhile.</summary>
    public static readonly TimeSpan AskWait = TimeSpan.FromSeconds(20);

    private const string Systemctl = "/usr/bin/systemctl";
    private const string ControlGroupFile = "/proc/self/cgroup";
    private const int AnswerMs = 5000;

    // A service manager that is being started anew refuses at once.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(300);

    // systemctl(1), is-system-running; "offline" and "unknown" mean that nobody answered.
    private static readonly HashSet<string> s_states =
        ["initializing", "starting", "running", "degraded", "maintenance", "stopping"];

    /// <summary>Asks systemctl with these arguments.</summary>
    /// <returns>What it printed; null when it got no answer.</returns>
    internal delegate Task<IReadOnlyList<string>?> Question(params string[] arguments);

    /// <summary>Asks why this process was asked to end. Without systemd it is a stop.</summary>
    /// <returns>
    /// Null when systemd does not say: then whoever chooses must know that a stop taken for a restart leaves block
    /// devices waiting, and a restart taken for a stop ends the service.
    /// </returns>
    public static async Task<StopReason?> WhyStop()
    {
        if (Environment.GetEnvironmentVariable("INVOCATION_ID") is null || !File.Exists(Systemctl)
            || UnitOf(await File.ReadAllLinesAsync(ControlGroupFile)) is not { } unit)
        {
            return StopReason.Stop;
        }

        return await WhyStop(unit, Ask, AskWait);
    }

    /// <summary>Asks until there is an answer, or that time has passed.</summary>
    internal static async Task<StopReason?> WhyStop(string unit, Question ask, TimeSpan within)
    {
        long beganAt = Stopwatch.GetTimestamp();
        while (true)
        {
            // Both at once: a shutdown has no time to lose.
            Task<IReadOnlyList<string>?> asked = ask("is-system-running");
            IReadOnlyList<string>? jobs = await ask("list-jobs", "--no-legend", "--no-pager");
            IReadOnlyList<string> state = await asked ?? [];
            bool isKnown = state.Any(s_states.Contains);
            if (state.Contains("stopping") || (jobs is not null && isKnown))
            {
                return Reason(jobs ?? [], unit, state);
            }

            if (Stopwatch.GetElapsedTime(beganAt) + s_pause >= within)
            {
                return jobs is null ? null : Reason(jobs, unit, state);
            }

            await Task.Delay(s_pause);
        }
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

    private static async Task<IReadOnlyList<string>?> Ask(params string[] arguments)
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
        string? failure = await question.Run(CancellationToken.None);
        lock (lines)
        {
            // With is-system-running the exit code tells of the system, not of the question.
            return failure is null || arguments is ["is-system-running"] ? [.. lines] : null;
        }
    }
}
