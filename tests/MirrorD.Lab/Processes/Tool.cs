using System.Diagnostics;
using System.Text;

namespace MirrorD.Lab.Processes;

/// <summary>Short-lived programs, run to their end.</summary>
public static class Tool
{
    private static readonly TimeSpan UsualDeadline = TimeSpan.FromSeconds(60);

    /// <summary>Runs a program in this network namespace and waits for its end.</summary>
    public static ToolResult Run(string program, params IReadOnlyList<string> arguments) =>
        RunWithin(UsualDeadline, program, arguments);

    /// <summary>Runs a program; at the deadline it is killed with its children.</summary>
    public static ToolResult RunWithin(
        TimeSpan deadline, string program, params IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        string line = CommandLine(program, arguments);
        using Process process = Process.Start(start)
            ?? throw new InvalidOperationException($"could not start: {line}");
        process.StandardInput.Close();
        var output = new StringBuilder();
        var error = new StringBuilder();
        process.OutputDataReceived += (_, data) => Append(output, data.Data);
        process.ErrorDataReceived += (_, data) => Append(error, data.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        bool ended = process.WaitForExit(deadline);
        if (!ended)
        {
            process.Kill(entireProcessTree: true);
            Append(error, $"killed: not done after {deadline.TotalSeconds:0} s");
            return new ToolResult(line, 137, Text(output), Text(error));
        }

        process.WaitForExit();
        return new ToolResult(line, process.ExitCode, Text(output), Text(error));
    }

    /// <summary>The command as one would type it, without quoting.</summary>
    public static string CommandLine(string program, IEnumerable<string> arguments) =>
        string.Join(' ', arguments.Prepend(program));

    private static void Append(StringBuilder to, string? line)
    {
        if (line is not null)
        {
            lock (to)
            {
                to.Append(line).Append('\n');
            }
        }
    }

    private static string Text(StringBuilder from)
    {
        lock (from)
        {
            return from.ToString();
        }
    }
}
