using System.Collections.Concurrent;
using System.Diagnostics;
using MirrorD.Daemon.Processes;

namespace MirrorD.Daemon.Tests.Processes;

public sealed class ChildProcessTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly ConcurrentQueue<string> _output = new();

    [Fact]
    public async Task Input_arguments_and_environment_reach_the_program()
    {
        string? failure = await new ChildProcess
        {
            Program = "/bin/sh",
            Arguments = ["-c", "cat; echo \"$1 $MIRRORD_X\"; pwd", "sh", "it's one argument"],
            Environment = new Dictionary<string, string> { ["MIRRORD_X"] = "a b" },
            Input = "first\nzweite Zeile – ä\n",
            TimeoutMs = 20_000,
            Output = _output.Enqueue,
        }.Run(CancellationToken.None);

        Assert.Null(failure);
        Assert.Equal(["first", "zweite Zeile – ä", "it's one argument a b", "/"], _output);
    }

    [Fact]
    public async Task A_child_whose_parent_has_ended_is_killed_at_the_deadline_too()
    {
        // The middle shell ends at once: no line of parents leads from the sleep to the program.
        string marker = _directory.At("orphan");
        string? failure = await Shell(
            $"sh -c 'sleep 600 > /dev/null 2>&1 & echo $! > {marker}'; exec sleep 600", 1500);

        Assert.Equal("did not end within 1500 ms and was killed", failure);
        string orphan = (await File.ReadAllTextAsync(marker)).Trim();
        await Within.Until(() => Task.FromResult(!Lives(orphan)), "the orphan to end");
    }

    [Fact]
    public async Task A_program_that_does_not_read_its_input_is_not_waited_for_longer_than_its_deadline()
    {
        long start = Stopwatch.GetTimestamp();

        string? failure = await Shell("exec sleep 600", 1000, new string('x', 1 << 20));

        Assert.Equal("did not end within 1000 ms and was killed", failure);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_program_that_ends_without_reading_its_input_is_judged_by_its_exit_code()
    {
        Assert.Null(await Shell("exit 0", 20_000, new string('x', 1 << 20)));
        Assert.Equal("failed with exit code 7", await Shell("exit 7", 20_000, "x"));
    }

    [Fact]
    public async Task It_is_ended_when_it_is_no_longer_wanted()
    {
        using var stop = new CancellationTokenSource();
        Task<string?> running = Shell(
            $"echo $$ > {_directory.At("pid")}; exec sleep 600", 60_000, null, stop.Token);
        await Within.Until(() => Task.FromResult(File.Exists(_directory.At("pid"))), "the program to start");

        await stop.CancelAsync();

        Assert.Equal(
            "was ended, as it is no longer wanted", await Within.Deadline(running, "the program to be ended"));
    }

    [Fact]
    public async Task A_program_that_is_not_there_fails()
    {
        string? failure = await new ChildProcess
        {
            Program = "/nonexistent/program",
            Arguments = [],
            TimeoutMs = 20_000,
            Output = _output.Enqueue,
        }.Run(CancellationToken.None);

        Assert.NotNull(failure);
    }

    public void Dispose() => _directory.Dispose();

    private static bool Lives(string process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }

    private Task<string?> Shell(
        string line, int timeoutMs, string? input = null, CancellationToken stop = default) =>
        new ChildProcess
        {
            Program = "/bin/sh",
            Arguments = ["-c", line],
            Input = input,
            TimeoutMs = timeoutMs,
            Output = _output.Enqueue,
        }.Run(stop);
}
