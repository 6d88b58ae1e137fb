using System.Globalization;
using MirrorD.Daemon.Logging;
using MirrorD.Io.Linux;
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
    private readonly ManualResetEvent _ending = new(false);
    private Thread? _thread;
    private long _seen;
    private long _shortUntilMs;
    private bool _areRaised;
    private bool _isTold;

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
                : RealtimeThread.Keep();
            if (problem is null)
            {
                Follow(reclaims);
            }
            else
            {
                Tell(problem);
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Tell($"its threads keep ordinary priority when memory is short: {failed.Message}");
        }
    }

    private void Follow(DirectReclaims reclaims)
    {
        _seen = reclaims.Count() ?? 0;

        // So that this has run once before it is needed.
        Attempt(() => Raise(Threads().Where(thread => thread == RealtimeThread.Current)));
        Action look = () => Look(reclaims);
        while (!_ending.WaitOne(interval))
        {
            Attempt(look);
        }
    }

    private void Look(DirectReclaims reclaims)
    {
        long count = reclaims.Count() ?? 0;
        if (count != _seen)
        {
            _seen = count;
            _shortUntilMs = BootClock.NowMs + (long)hold.TotalMilliseconds;
        }

        if (BootClock.NowMs < _shortUntilMs)
        {
            Raise(Threads());
        }
        else if (_areRaised)
        {
            Lower();
        }
    }

    // What fails most likely does so for want of memory: the next look may succeed.
    private void Attempt(Action change)
    {
        try
        {
            change();
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            Tell($"the priority of its threads could not be changed: {failed.Message}");
        }
    }

    // At each look, for those that began since.
    private void Raise(IEnumerable<int> which)
    {
        _areRaised = true;
        foreach (int thread in which.Where(RealtimeThread.IsOrdinary))
        {
            Tell(RealtimeThread.Raise(thread));
        }
    }

    private void Lower()
    {
        foreach (int thread in Threads().Where(RealtimeThread.IsRaised))
        {
            Tell(RealtimeThread.Lower(thread));
        }

        _areRaised = false;
    }

    private void Tell(string? problem)
    {
        if (problem is not null && !_isTold)
        {
            _isTold = true;
            DaemonLog.OrdinaryPriority(logger, problem);
        }
    }

    private IEnumerable<int> Threads() => Directory.EnumerateFileSystemEntries(threads)
        .Select(entry => int.Parse(Path.GetFileName(entry.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture));
}
