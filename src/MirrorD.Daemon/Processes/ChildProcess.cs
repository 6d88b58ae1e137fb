using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Mono.Unix.Native;

namespace MirrorD.Daemon.Processes;

/// <summary>
/// Runs a program in "/" with a deadline, after which it and everything that it started is killed.
/// </summary>
internal sealed class ChildProcess
{
    private const int LongestLine = 2000;

    // mirrord may be kept from being killed when memory runs out; what it starts is as everything else. A value above zero
    // is left as it is: somebody wants it, and lowering it may be refused.
    private const string Choom = "/usr/bin/choom";
    private static readonly bool s_isSpared =
        File.Exists(Choom) && File.ReadAllText("/proc/self/oom_score_adj").StartsWith('-');

    // With a session of its own what it starts can be killed as a group, also what its parent left behind.
    private const string Setsid = "/usr/bin/setsid";

    /// <summary>A process that can't be killed, as it hangs in the kernel, is left behind after this.</summary>
    public static readonly TimeSpan KillWait = TimeSpan.FromSeconds(2);

    // What a program printed last may still be in the pipe; a daemon that it started may keep the pipe open.
    private static readonly TimeSpan s_outputWait = TimeSpan.FromMilliseconds(200);

    /// <summary>Path of the program.</summary>
    public required string Program { get; init; }

    /// <summary>Its arguments.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>What its environment has beside that of this process.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What it finds on its standard input; null for nothing.</summary>
    public string? Input { get; init; }

    /// <summary>Its deadline, in milliseconds.</summary>
    public required int TimeoutMs { get; init; }

    /// <summary>Told each line that it prints.</summary>
    public required Action<string> Output { get; init; }

    /// <summary>Runs it to its end.</summary>
    /// <param name="stop">Kills it early.</param>
    /// <returns>
    /// What went wrong, as the end of a sentence that begins with the program; null for exit code 0.
    /// </returns>
    public async Task<string?> Run(CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeoutMs);
        using var process = new Process { StartInfo = StartInfo() };
        try
        {
            process.Start();
        }
        catch (Win32Exception failed)
        {
            return $"could not be started: {failed.Message}";
        }

        Task reading = Task.WhenAll(Pass(process.StandardOutput), Pass(process.StandardError));
        try
        {
            await Feed(process.StandardInput, deadline.Token);
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            await Kill(process);
            return stop.IsCancellationRequested
                ? "was ended, as it is no longer wanted"
                : string.Create(
                    CultureInfo.InvariantCulture, $"did not end within {TimeoutMs} ms and was killed");
        }

        await Task.WhenAny(reading, Task.Delay(s_outputWait, CancellationToken.None));
        return process.ExitCode == 0
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"failed with exit code {process.ExitCode}");
    }

    private ProcessStartInfo StartInfo()
    {
        string[] command =
        [
            .. s_isSpared ? [Choom, "-n", "0", "--"] : Array.Empty<string>(),
            .. File.Exists(Setsid) ? [Setsid, "--"] : Array.Empty<string>(),
            Program, .. Arguments,
        ];
        var start = new ProcessStartInfo(command[0])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        };
        foreach (string argument in command.AsSpan(1))
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string name, string value) in Environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }

    private async Task Feed(StreamWriter input, CancellationToken stop)
    {
        try
        {
            if (Input is not null)
            {
                await input.WriteAsync(Input.AsMemory(), stop);
            }

            input.Close();
        }
        catch (IOException)
        {
            // It ended, or closed its input, without reading everything; its exit code tells.
        }
    }

    private async Task Pass(StreamReader reader)
    {
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                Output(line.Length <= LongestLine ? line : line[..LongestLine] + "…");
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
            // The group bears the number of its first process, which is not given to another process or group
            // while somebody is in it. Without setsid there is no such group, and nobody is hit.
            Syscall.kill(-process.Id, Signum.SIGKILL);
            process.Kill(entireProcessTree: true);
            using var wait = new CancellationTokenSource(KillWait);
            await process.WaitForExitAsync(wait.Token);
        }
        catch (Exception failed) when (failed is OperationCanceledException or InvalidOperationException)
        {
            // It ended by itself meanwhile, or hangs in the kernel: either way nothing waits for it.
        }
    }
}
