using System.Diagnostics;
using System.Text;
using System.Text.Json;
using MirrorD.Lab;
using MirrorD.Lab.Processes;

namespace MirrorD.Machines.Agent;

/// <summary>
/// A program that runs in a machine. Its output is held by the agent, at most 16 MiB of it, until it has
/// ended.
/// </summary>
public sealed class GuestProcess
{
    private readonly GuestAgent _agent;
    private readonly string _machine;
    private readonly string _line;
    private ToolResult? _result;

    private GuestProcess(GuestAgent agent, string machine, string line, int id)
    {
        _agent = agent;
        _machine = machine;
        _line = line;
        Id = id;
    }

    /// <summary>Its process id in the machine.</summary>
    public int Id { get; }

    /// <summary>True once it has ended; what it said is in <see cref="Result"/> then.</summary>
    public bool HasEnded()
    {
        if (_result is not null)
        {
            return true;
        }

        JsonElement status = _agent.Call("guest-exec-status", new { pid = Id });
        if (!status.GetProperty("exited").GetBoolean())
        {
            return false;
        }

        // As a shell has it: 128 and the signal's number.
        int exitCode = status.TryGetProperty("exitcode", out JsonElement code)
            ? code.GetInt32()
            : 128 + status.GetProperty("signal").GetInt32();
        _result = new ToolResult(_line, exitCode, Text(status, "out-data"), Text(status, "err-data"));
        return true;
    }

    /// <summary>How it ended.</summary>
    /// <exception cref="InvalidOperationException">It runs.</exception>
    public ToolResult Result() =>
        HasEnded() ? _result! : throw new InvalidOperationException($"on {_machine} still runs: {_line}");

    /// <summary>Waits for its end.</summary>
    /// <exception cref="TimeoutException">It still runs.</exception>
    public ToolResult WaitForExit(double seconds)
    {
        // Each question costs the machine some milliseconds: the longer it takes, the fewer.
        var clock = Stopwatch.StartNew();
        double askAt = 0;
        Wait.For($"{_machine} to have run {_line}", seconds, () =>
        {
            if (clock.Elapsed.TotalSeconds < askAt)
            {
                return false;
            }

            bool ended = HasEnded();
            askAt = clock.Elapsed.TotalSeconds + Math.Min(clock.Elapsed.TotalSeconds * 0.1, 1);
            return ended;
        });
        return _result!;
    }

    /// <summary>SIGKILL, without waiting for its end.</summary>
    public void Kill() => Start(_agent, _machine, "kill", ["-KILL", $"{Id}"], null);

    internal static GuestProcess Start(
        GuestAgent agent, string machine, string program, IReadOnlyList<string> arguments, byte[]? input)
    {
        // The agent itself is exempt from the kernel's killer of processes; what it runs is not.
        string[] words = ["-n", "0", "--", program, .. arguments];
        JsonElement started = agent.Call("guest-exec", new Dictionary<string, object>
        {
            ["path"] = "choom",
            ["arg"] = words,
            ["capture-output"] = true,
            ["input-data"] = Convert.ToBase64String(input ?? []),
        });
        return new GuestProcess(
            agent, machine, Tool.CommandLine(program, arguments), started.GetProperty("pid").GetInt32());
    }

    private static string Text(JsonElement status, string name) =>
        status.TryGetProperty(name, out JsonElement data)
            ? Encoding.UTF8.GetString(data.GetBytesFromBase64())
            : "";
}
