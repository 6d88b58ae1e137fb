using MirrorD.Configuration;
using MirrorD.Daemon.Processes;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

/// <summary>Runs hooks as "/bin/sh -c command".</summary>
/// <param name="resource">Name of the resource.</param>
/// <param name="node">Name of this node.</param>
/// <param name="hooks">The commands.</param>
/// <param name="output">Told each line that a hook prints.</param>
internal sealed class HookRunner(
    string resource, string node, HooksConfiguration hooks, Action<HookStep, string> output)
{
    /// <summary>
    /// Runs the commands of a step one after the other, each with a deadline, up to the first failure.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="role">Role told to the commands.</param>
    /// <param name="stop">Kills the running command.</param>
    /// <returns>Null when all succeeded; else what failed and how.</returns>
    public async Task<string?> Run(HookStep step, Role role, CancellationToken stop)
    {
        foreach (string command in CommandsOf(step))
        {
            if (await RunOne(step, role, command, stop) is { } failure)
            {
                return $"the {step.NameOf()} hook '{command}' {failure}";
            }
        }

        return null;
    }

    private IReadOnlyList<string> CommandsOf(HookStep step) => step switch
    {
        HookStep.PreAcquire => hooks.PreAcquire,
        HookStep.PostAcquire => hooks.PostAcquire,
        HookStep.PreRelease => hooks.PreRelease,
        HookStep.PostRelease => hooks.PostRelease,
    };

    private Task<string?> RunOne(HookStep step, Role role, string command, CancellationToken stop) =>
        new ChildProcess
        {
            Program = "/bin/sh",
            Arguments = ["-c", command],
            Environment = new Dictionary<string, string>
            {
                ["MIRRORD_RESOURCE"] = resource,
                ["MIRRORD_NODE"] = node,
                ["MIRRORD_ROLE"] = role.ToString(),
                ["MIRRORD_STEP"] = step.NameOf(),
            },
            TimeoutMs = hooks.TimeoutMs,
            Output = line => output(step, line),
        }.Run(stop);
}
