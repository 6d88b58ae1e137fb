using System.Diagnostics;
using MirrorD.Lab.Pairs;

namespace MirrorD.Lab.Witness;

/// <summary>
/// Which session a node stores, asked over and over. An answer tells the session at some instant between question and
/// reply.
/// </summary>
public sealed class SessionLog
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(50);

    private readonly Node _node;
    private readonly List<(long AskedAt, long ToldAt, string Session)> _told = [];
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private Thread? _thread;

    /// <summary>A log of one node.</summary>
    public SessionLog(Node node) => _node = node;

    /// <summary>Starts asking, on a thread of its own.</summary>
    public void Start()
    {
        _stop.Reset();
        _thread = new Thread(Run) { IsBackground = true, Name = $"sessions of {_node.Name}" };
        _thread.Start();
    }

    /// <summary>Ends it.</summary>
    public void Stop()
    {
        _stop.Set();
        Wait.For($"the log of {_node.Name}'s sessions to end", 30, () => !_thread!.IsAlive);
    }

    /// <summary>The last session told before a moment; null when there was no answer.</summary>
    public string? Before(long moment)
    {
        lock (_gate)
        {
            return _told.LastOrDefault(told => told.ToldAt < moment).Session;
        }
    }

    /// <summary>The first session told to a question that was asked after a moment; null when there was no answer.</summary>
    public string? After(long moment)
    {
        lock (_gate)
        {
            return _told.FirstOrDefault(told => told.AskedAt > moment).Session;
        }
    }

    private void Run()
    {
        do
        {
            long askedAt = Stopwatch.GetTimestamp();
            if (_node.TryStatus()?.Session is { } session)
            {
                lock (_gate)
                {
                    _told.Add((askedAt, Stopwatch.GetTimestamp(), session));
                }
            }
        }
        while (!_stop.Wait(Pace));
    }
}
