using System.Collections.Concurrent;
using System.Diagnostics;
using MirrorD.Configuration;
using MirrorD.Daemon.Takeover;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Tests.Takeover;

public class HookRunnerTests
{
    private readonly ConcurrentQueue<string> _output = new();

    [Fact]
    public async Task A_hook_knows_resource_node_role_and_step()
    {
        string? failure = await Run("echo $MIRRORD_RESOURCE $MIRRORD_NODE $MIRRORD_ROLE $MIRRORD_STEP");

        Assert.Null(failure);
        Assert.Equal("mail a Standby pre-acquire", Assert.Single(_output));
    }

    [Fact]
    public async Task The_first_failing_hook_ends_the_step()
    {
        string? failure = await Run("echo one", "echo two >&2; exit 3", "echo three");

        Assert.Equal("the pre-acquire hook 'echo two >&2; exit 3' failed with exit code 3", failure);
        Assert.Equal(["one", "two"], _output);
    }

    [Fact]
    public async Task A_hanging_hook_is_killed_at_its_deadline_with_its_children()
    {
        using var directory = new TemporaryDirectory();
        string marker = directory.At("child");
        long start = Stopwatch.GetTimestamp();

        string? failure = await Run($"sh -c 'echo $$ > {marker}; exec sleep 600'; true");

        Assert.Contains("did not end within 1000 ms and was killed", failure);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(15));
        string child = (await File.ReadAllTextAsync(marker)).Trim();
        await Within.Until(
            () =>
                Task.FromResult(!Directory.Exists($"/proc/{child}") || IsZombie(child)), "the child to end");
    }

    [Fact]
    public async Task A_hook_may_leave_a_daemon_behind_that_keeps_its_output_open()
    {
        using var directory = new TemporaryDirectory();
        string marker = directory.At("child");

        string? failure = await Run($"sleep 600 & echo $! > {marker}; echo started");

        Assert.Null(failure);
        Assert.Contains("started", _output);
        Process.GetProcessById(int.Parse((await File.ReadAllTextAsync(marker)).Trim())).Kill();
    }

    private static bool IsZombie(string process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return true;
        }
    }

    private Task<string?> Run(params string[] commands) =>
        new HookRunner(
            "mail", "a", new HooksConfiguration(commands, [], [], [], 1000), (_, line) =>
                _output.Enqueue(line))
            .Run(HookStep.PreAcquire, Role.Standby, CancellationToken.None);
}
