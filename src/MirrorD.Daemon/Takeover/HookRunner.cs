using System.Diagnostics;
using MirrorD.Configuration;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Takeover;

/// <summary>Runs hooks as "/bin/sh -c command".</summary>
/// <param name="resource">Name of the resource.</param>
/// <param name="node">Name of this node.</param>
/// <param name="hooks">The commands.</param>
/// <param name="output">Told each line that a hook prints.</param>
internal sealed class HookRunner(
    string resource, string node, HooksConfiguration hooks, Action<HookStep, string> output) : IHooks
{
    private const int LongestLine = 2000;

    // A process that can't be killed, as it hangs in the kernel, is left behind after this.
    private static readonly TimeSpan s_killWait = TimeSpan.FromSeconds(2);

    // What a command printed last may still be in the pipe; a daemon that it started may keep the pipe open.
    private static readonly TimeSpan s_outputWait = TimeSpan.FromMilliseconds(200);

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

    private async Task<string?> RunOne(HookStep step, Role role, string command, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(hooks.TimeoutMs);
        using var process = new Process { StartInfo = StartInfo(step, role, command) };
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception failed)
        {
            return $"could not be started: {failed.Message}";
        }

        process.StandardInput.Close();
        Task reading = Task.WhenAll(
            Pass(step, process.StandardOutput), Pass(step, process.StandardError));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            await Kill(process);
            return stop.IsCancellationRequested
                ? "was ended, as it is no longer wanted"
                : $"did not end within {hooks.TimeoutMs} ms and was killed";
        }

        await Task.WhenAny(reading, Task.Delay(s_outputWait, CancellationToken.None));
        return process.ExitCode == 0 ? null : $"failed with exit code {process.ExitCode}";
    }

    private ProcessStartInfo StartInfo(HookStep step, Role role, string command)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        start.Environment["MIRRORD_RESOURCE"] = resource;
        start.Environment["MIRRORD_NODE"] = node;
        start.Environment["MIRRORD_ROLE"] = role.ToString();
        start.Environment["MIRRORD_STEP"] = step.NameOf();
        return start;
    }

    private async Task Pass(HookStep step, StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                output(step, line.Length <= LongestLine ? line : line[..LongestLine] + "…");
            }
        }
        catch (Exception ended)
            when (ended is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The pipe was closed with its process.
        }
    }

    private static async Task Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
            using var wait = new CancellationTokenSource(s_killWait);
            await process.WaitForExitAsync(wait.Token);
        }
        catch (Exception failed) when (failed is OperationCanceledException or InvalidOperationException)
        {
            // It ended by itself meanwhile, or hangs in the kernel: either way nothing waits for it.
        }
    }
}
