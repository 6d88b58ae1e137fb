using System.Globalization;
using MirrorD.Daemon.Logging;
using MirrorD.Io.Linux.Memory;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Memory;

/// <summary>
/// Makes the threads of this process real-time threads while the machine is short of memory, and only then: they may then use
/// part of the kernel's reserve, see <see cref="RealtimeThread"/>. All of them: one that waits for a page may hold what a loop
/// needs, a lock of the runtime for example. A thread of its own looks, real-time itself.
/// </summary>
/// <param name="logger">Told once when it is not possible.</param>
/// <param name="counters">See <see cref="DirectReclaims"/>.</param>
/// <param name="threads">A directory with one entry for each thread, named by its number.</param>
/// <param name="interval">Time between two looks.</param>
/// <param name="hold">How long after the last sign of a shortage it is over.</param>
internal sealed class ShortagePriority(
    ILogger logger, string counters, string threads, TimeSpan interval, TimeSpan hold) : IDisposable
{
    private readonly HashSet<int> _raised = [];
    private readonly ManualResetEvent _ending = new(false);
    private Thread? _thread;

    /// <summary>Looks each second; 30 s after the last shortage it is over.</summary>
    public ShortagePriority(ILogger logger)
        : this(logger, DirectReclaims.KernelCounters, "/proc/self/task", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30))
    {
    }

    /// <summary>Begins to look.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "memory" };
        _thread.Start();
    }

    public void Dispose()
    {
        _ending.Set();
        _thread?.Join();
        _ending.Dispose();
    }

    private void Run()
    {
        try
        {
            using var reclaims = new DirectReclaims(counters);
            string? problem = reclaims.Count() is null
                ? $"{counters} counts no allocstall: its threads keep ordinary priority when memory is short"
                : RealtimeThread.Change(RealtimeThread.Current, isRealtime: true);
            if (problem is null)
            {
                Follow(reclaims);
            }
            else
            {
                DaemonLog.OrdinaryPriority(logger, problem);
            }
        }
        catch (IOException failed)
        {
            DaemonLog.OrdinaryPriority(
                logger, $"its threads keep ordinary priority when memory is short: {failed.Message}");
        }
    }

    private void Follow(DirectReclaims reclaims)
    {
        long seen = reclaims.Count() ?? 0;
        long shortUntilMs = 0;
        while (!_ending.WaitOne(interval))
        {
            long count = reclaims.Count() ?? 0;
            if (count != seen)
            {
                seen = count;
                shortUntilMs = Environment.TickCount64 + (long)hold.TotalMilliseconds;
            }

            if (Environment.TickCount64 < shortUntilMs)
            {
                Raise();
            }
            else if (_raised.Count > 0)
            {
                Lower();
            }
        }
    }

    // At each look, for those that began since.
    private void Raise()
    {
        foreach (int thread in Threads().Where(RealtimeThread.IsOrdinary))
        {
            _raised.Add(thread);
            Change(thread, isRealtime: true);
        }
    }

    // Only those that are still there: the kernel gives the number of an ended one to others.
    private void Lower()
    {
        foreach (int thread in Threads().Where(_raised.Contains))
        {
            Change(thread, isRealtime: false);
        }

        _raised.Clear();
    }

    private void Change(int thread, bool isRealtime)
    {
        if (RealtimeThread.Change(thread, isRealtime) is { } problem)
        {
            DaemonLog.OrdinaryPriority(logger, problem);
        }
    }

    private IEnumerable<int> Threads() => Directory.EnumerateFileSystemEntries(threads)
        .Select(entry => int.Parse(Path.GetFileName(entry.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture));
}
