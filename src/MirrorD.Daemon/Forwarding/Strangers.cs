using System.Net;

namespace MirrorD.Daemon.Forwarding;

/// <summary>
/// Places for connections that have not shown yet who they are. When all are taken, one more takes the place of the
/// oldest one from the address that has most: many from one address don't keep those from another one out. New ones are
/// taken up at a bounded rate, which is also the time that each one has at least. Any thread.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class Strangers(TimeProvider time)
{
    /// <summary>
    /// Places. A handshake needs a few round trips; whoever is still there after that is nobody who may call.
    /// </summary>
    public const int Most = 64;

    /// <summary>So many may come at once.</summary>
    public const int Burst = 32;

    /// <summary>After these so many at a time: waking up for each one costs more than the rest of it.</summary>
    public const int Batch = 8;

    /// <summary>For each of the others, on average; with it each of many has at least 280 ms.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(5);

    private readonly Lock _lock = new();
    private readonly List<Stranger> _places = new(Most);
    private readonly long _began = time.GetTimestamp();
    private TimeSpan _due = TimeSpan.MinValue;

    /// <summary>Gives a new connection a place.</summary>
    /// <param name="from">Where it comes from; null when that is not known.</param>
    /// <param name="limit">So long it may stay.</param>
    /// <param name="stop">Ends it earlier.</param>
    public Stranger Enter(IPAddress? from, TimeSpan limit, CancellationToken stop)
    {
        var stranger = new Stranger(from ?? IPAddress.None, limit, stop);
        lock (_lock)
        {
            if (_places.Count >= Most)
            {
                Stranger oldest = _places.GroupBy(one => one.From).MaxBy(those => those.Count())!.First();
                _places.Remove(oldest);
                oldest.PushOut();
            }

            _places.Add(stranger);
        }

        return stranger;
    }

    /// <summary>Frees a place: whoever had it is known, or gone.</summary>
    public void Leave(Stranger stranger)
    {
        lock (_lock)
        {
            _places.Remove(stranger);
            stranger.Dispose();
        }
    }

    /// <summary>Counts a connection that was taken up.</summary>
    /// <returns>Time until the next one may be; zero or less: at once.</returns>
    public TimeSpan Count()
    {
        lock (_lock)
        {
            TimeSpan now = time.GetElapsedTime(_began);
            TimeSpan earliest = now - (Interval * Burst);
            _due = (_due > earliest ? _due : earliest) + Interval;
            return _due <= now ? TimeSpan.Zero : _due - now + (Interval * (Batch - 1));
        }
    }
}
