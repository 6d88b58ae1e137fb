namespace MirrorD.Daemon.Tests.Resources;

/// <summary>A clock that stands still until it is told to go on, with its timers; in UTC.</summary>
internal sealed class SimulatedTime(DateTimeOffset now) : TimeProvider
{
    private readonly List<Timer> _timers = [];
    private DateTimeOffset _now = now;

    // Timers go by a clock that nobody sets.
    private TimeSpan _elapsed;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _elapsed.Ticks;

    /// <summary>Time passes; what is due in it happens in between.</summary>
    public void Advance(TimeSpan by)
    {
        TimeSpan end = _elapsed + by;
        while (_timers.MinBy(timer => timer.Due) is { } first && first.Due <= end)
        {
            _now += first.Due - _elapsed;
            _elapsed = first.Due;
            first.Fire();
        }

        _now += end - _elapsed;
        _elapsed = end;
    }

    /// <summary>Somebody sets the clock, or the machine stood still.</summary>
    public void Set(DateTimeOffset now) => _now = now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, () => callback(state), period) { Due = _elapsed + dueTime };
        _timers.Add(timer);
        return timer;
    }

    private sealed class Timer(SimulatedTime time, Action fire, TimeSpan period) : ITimer
    {
        public TimeSpan Due { get; set; }

        public void Fire()
        {
            Due += period;
            fire();
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => throw new NotSupportedException();

        public void Dispose() => time._timers.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
