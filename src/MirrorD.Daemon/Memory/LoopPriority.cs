using MirrorD.Daemon.Logging;
using MirrorD.Io.Linux.Memory;
using Microsoft.Extensions.Logging;

namespace MirrorD.Daemon.Memory;

/// <summary>
/// Makes the loops of resources real-time threads while the machine is short of memory, and only then: they may then use
/// part of the kernel's reserve, see <see cref="RealtimeThread"/>. A thread of its own looks, real-time itself.
/// </summary>
internal sealed class LoopPriority(ILogger logger, string counters, TimeSpan interval, TimeSpan hold) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<int> _loops = [];
    private readonly ManualResetEvent _ending = new(false);
    private Thread? _thread;
    private bool _isShort;

    /// <summary>Looks each second; 30 s after the last shortage it is over.</summary>
    public LoopPriority(ILogger logger)
        : this(logger, DirectReclaims.KernelCounters, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30))
    {
    }

    /// <summary>Begins to look.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "memory" };
        _thread.Start();
    }

    /// <summary>The calling thread is a loop from now on.</summary>
    public void Join()
    {
        lock (_lock)
        {
            _loops.Add(RealtimeThread.Current);
            if (_isShort)
            {
                Change(RealtimeThread.Current);
            }
        }
    }

    /// <summary>The calling thread, a loop, ends.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            // The kernel gives its number to others.
            _loops.Remove(RealtimeThread.Current);
        }
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
                ? $"{counters} counts no allocstall: its loops keep ordinary priority when memory is short"
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
                logger, $"its loops keep ordinary priority when memory is short: {failed.Message}");
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

            bool isShort = Environment.TickCount64 < shortUntilMs;
            if (isShort != _isShort)
            {
                lock (_lock)
                {
                    _isShort = isShort;
                    foreach (int loop in _loops)
                    {
                        Change(loop);
                    }
                }
            }
        }
    }

    private void Change(int loop)
    {
        if (RealtimeThread.Change(loop, _isShort) is { } problem)
        {
            DaemonLog.OrdinaryPriority(logger, problem);
        }
    }
}
