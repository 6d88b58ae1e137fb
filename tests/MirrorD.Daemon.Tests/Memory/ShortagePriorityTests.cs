using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using MirrorD.Daemon.Memory;
using MirrorD.Io.Linux.Memory;

namespace MirrorD.Daemon.Tests.Memory;

public sealed class ShortagePriorityTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly RecordingLoggers _log = new();
    private int _stalls;

    public void Dispose()
    {
        _log.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Threads_have_real_time_priority_while_somebody_looks_for_memory_himself()
    {
        if (await Output("chrt", "--rr", "1", "echo", "allowed") is "")
        {
            return; // This system lets nobody have it; RealtimeThreadTests shows what is told then.
        }

        Stall();
        using var thread = new Waiting(_directory.At("threads"));
        using ShortagePriority priority = Follow(_directory.At("vmstat"));
        Assert.False(await thread.IsRealtime());

        await Within.Until(
            () =>
            {
                Stall();
                return thread.IsRealtime();
            },
            "a thread with real-time priority");
        using var later = new Waiting(_directory.At("threads"));
        await Within.Until(
            () =>
            {
                Stall();
                return later.IsRealtime();
            },
            "the same for a thread that begins meanwhile");
        await Within.Until(
            async () => !await thread.IsRealtime() && !await later.IsRealtime(), "ordinary priority when that is over");
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task What_takes_real_time_priority_itself_keeps_it_and_a_thread_that_has_ended_is_no_trouble()
    {
        if (await Output("chrt", "--rr", "1", "echo", "allowed") is "")
        {
            return;
        }

        Stall();
        using var always = new Waiting(_directory.At("threads"));
        using var thread = new Waiting(_directory.At("threads"));
        new Waiting(_directory.At("threads")).Dispose();
        using ShortagePriority priority = Follow(_directory.At("vmstat"));
        await Within.Until(
            async () =>
            {
                Stall();
                return await thread.IsRealtime() && await always.IsRealtime();
            },
            "threads with real-time priority");
        await always.Keep();
        await Within.Until(async () => !await thread.IsRealtime(), "ordinary priority when that is over");
        Assert.True(await always.IsRealtime());
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task A_look_that_fails_is_told_once_and_the_next_one_goes_on()
    {
        if (await Output("chrt", "--rr", "1", "echo", "allowed") is "")
        {
            return;
        }

        Stall();
        using var thread = new Waiting(_directory.At("threads"));
        using ShortagePriority priority = Follow(_directory.At("vmstat"));
        Directory.Move(_directory.At("threads"), _directory.At("away"));
        await Within.Until(
            () =>
            {
                Stall();
                return Task.FromResult(_log.Lines.Count > 0);
            },
            "a line in the log");
        Directory.Move(_directory.At("away"), _directory.At("threads"));
        await Within.Until(
            () =>
            {
                Stall();
                return thread.IsRealtime();
            },
            "a thread with real-time priority");
        await Within.Until(async () => !await thread.IsRealtime(), "ordinary priority when that is over");
        Assert.Single(_log.Lines);
    }

    [Fact]
    public async Task Where_the_kernel_does_not_count_it_is_told_once()
    {
        File.WriteAllText(_directory.At("vmstat"), "nr_free_pages 12\n");
        using ShortagePriority uncounted = Follow(_directory.At("vmstat"));
        using ShortagePriority absent = Follow(_directory.At("absent"));
        await Within.Until(() => Task.FromResult(_log.Lines.Count == 2), "two lines in the log");
        Assert.All(_log.Lines, line => Assert.Contains("ordinary priority", line, StringComparison.Ordinal));
    }

    [Fact]
    public void All_counters_of_stalls_are_added_and_no_others()
    {
        string others = string.Concat(Enumerable.Range(0, 1000).Select(i => $"counter_{i} {i}\n"));
        File.WriteAllText(
            _directory.At("vmstat"), $"{others}allocstall_dma 1\nallocstall_normal 20\n{others}allocstall_movable 300\n");
        using var reclaims = new DirectReclaims(_directory.At("vmstat"));
        Assert.Equal(321, reclaims.Count());
        long before = GC.GetAllocatedBytesForCurrentThread();
        long? again = reclaims.Count();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(321, again);
    }

    [Fact]
    public void This_kernel_counts_stalls()
    {
        using var reclaims = new DirectReclaims();
        Assert.NotNull(reclaims.Count());
    }

    private ShortagePriority Follow(string counters)
    {
        var priority = new ShortagePriority(
            _log, counters, _directory.At("threads"), TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(3));
        priority.Start();
        return priority;
    }

    // In place and of one length: the reader has the file open.
    private void Stall()
    {
        using FileStream file = File.Open(
            _directory.At("vmstat"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        file.Write(Encoding.ASCII.GetBytes($"nr_free_pages 12\nallocstall_normal {++_stalls:d9}\n"));
    }

    private static async Task<string> Output(string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await errors;
        await process.WaitForExitAsync();
        return output;
    }

    /// <summary>A thread that waits until this is disposed of, and is listed even after that.</summary>
    private sealed class Waiting : IDisposable
    {
        private readonly BlockingCollection<Action> _work = [];
        private readonly TaskCompletionSource<int> _number = new();
        private readonly Thread _thread;

        public Waiting(string list)
        {
            _thread = new Thread(() =>
            {
                int number = RealtimeThread.Current;
                Directory.CreateDirectory(Path.Combine(list, number.ToString(CultureInfo.InvariantCulture)));
                _number.SetResult(number);
                foreach (Action work in _work.GetConsumingEnumerable())
                {
                    work();
                }
            });
            _thread.Start();

            // Listed from the beginning, as the threads of a process are.
            _number.Task.GetAwaiter().GetResult();
        }

        // chrt(1) is the witness.
        public async Task<bool> IsRealtime()
        {
            int number = await _number.Task;
            return (await Output("chrt", "--pid", number.ToString(CultureInfo.InvariantCulture)))
                .Contains("SCHED_RR", StringComparison.Ordinal);
        }

        public Task Keep()
        {
            var done = new TaskCompletionSource();
            _work.Add(() =>
            {
                Assert.Null(RealtimeThread.Keep());
                done.SetResult();
            });
            return done.Task;
        }

        public void Dispose()
        {
            _work.CompleteAdding();
            _thread.Join();
            _work.Dispose();
        }
    }
}
