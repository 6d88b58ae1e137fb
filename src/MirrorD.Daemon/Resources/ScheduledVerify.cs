using MirrorD.Configuration;
using MirrorD.Engine.Control;

namespace MirrorD.Daemon.Resources;

/// <summary>
/// Begins verifies by the clock on the wall, on both nodes alike: the engine knows whose turn it is. One that can't begin when it
/// is due is not made up for, and the reason is told; nor is one whose time passed while the machine stood still. The clock
/// is looked at now and then, since it may be set at any time.
/// </summary>
internal sealed class ScheduledVerify : IDisposable
{
    /// <summary>So often the clock is looked at.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);

    /// <summary>So long after its time one may begin.</summary>
    public static readonly TimeSpan MostLate = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan s_setBack = TimeSpan.FromHours(1);

    private readonly VerifySchedule _schedule;
    private readonly TimeProvider _time;
    private readonly Func<Task<CommandOutcome>> _begin;
    private readonly Action<string> _skipped;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private DateTimeOffset _next;
    private DateTimeOffset _lastLook;

    /// <summary>Begins to look at the clock.</summary>
    /// <param name="schedule">When.</param>
    /// <param name="time">The clock, with its time zone.</param>
    /// <param name="begin">Begins one.</param>
    /// <param name="skipped">Told, as a sentence without full stop, why one is not run.</param>
    public ScheduledVerify(
        VerifySchedule schedule, TimeProvider time, Func<Task<CommandOutcome>> begin, Action<string> skipped)
    {
        _schedule = schedule;
        _time = time;
        _begin = begin;
        _skipped = skipped;
        _lastLook = time.GetUtcNow();
        _next = schedule.Next(_lastLook, time.LocalTimeZone);
        _timer = time.CreateTimer(_ => _ = Look(), null, LookEvery, LookEvery);
    }

    /// <summary>When the next one is due.</summary>
    public DateTimeOffset Next
    {
        get
        {
            lock (_gate)
            {
                return _next;
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private async Task Look()
    {
        if (TakeDue() is not { } late)
        {
            return;
        }

        if (late > MostLate)
        {
            _skipped($"the verify that was due is skipped: the machine stood still, or its clock was set, and it is "
                + $"{(long)late.TotalMinutes} minutes late");
            return;
        }

        CommandOutcome outcome = await _begin();
        if (!outcome.Succeeded)
        {
            _skipped($"the verify that is due is skipped: {outcome.Message}"
                + (outcome.Remedy is { } remedy ? $"; {remedy}" : ""));
        }
    }

    /// <summary>How late the one is that is due; null when none is. From now on the next one counts.</summary>
    private TimeSpan? TakeDue()
    {
        lock (_gate)
        {
            DateTimeOffset now = _time.GetUtcNow();
            TimeSpan? late = now >= _next ? now - _next : null;
            if (late is not null || now < _lastLook - s_setBack)
            {
                _next = _schedule.Next(now, _time.LocalTimeZone);
            }

            _lastLook = now;
            return late;
        }
    }
}
