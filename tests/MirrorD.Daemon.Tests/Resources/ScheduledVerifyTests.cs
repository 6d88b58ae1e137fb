using MirrorD.Configuration;
using MirrorD.Daemon.Resources;
using MirrorD.Engine.Control;

namespace MirrorD.Daemon.Tests.Resources;

/// <summary>Verifies that begin by the clock, on a clock that the test moves.</summary>
public sealed class ScheduledVerifyTests : IDisposable
{
    private static readonly DateTimeOffset s_wednesday = new(2026, 11, 18, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset s_due = new(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);

    private readonly SimulatedTime _time = new(s_wednesday);
    private readonly List<DateTimeOffset> _begun = [];
    private readonly List<string> _skipped = [];
    private readonly ScheduledVerify _scheduled;
    private CommandOutcome _outcome = new(true, "comparing", null);

    public ScheduledVerifyTests() => _scheduled = new ScheduledVerify(
        VerifySchedule.Parse("Sun 02:00")!, _time,
        () =>
        {
            _begun.Add(_time.GetUtcNow());
            return Task.FromResult(_outcome);
        },
        _skipped.Add);

    public void Dispose() => _scheduled.Dispose();

    [Fact]
    public void One_begins_each_time_it_is_due()
    {
        Assert.Equal(s_due, _scheduled.Next);
        _time.Advance(s_due - s_wednesday - TimeSpan.FromSeconds(1));
        Assert.Empty(_begun);
        _time.Advance(TimeSpan.FromDays(15));
        Assert.Equal([s_due, s_due.AddDays(7), s_due.AddDays(14)], _begun);
        Assert.Equal(s_due.AddDays(21), _scheduled.Next);
        Assert.Empty(_skipped);
    }

    [Fact]
    public void One_that_is_refused_is_skipped_with_the_reason_and_not_made_up_for()
    {
        _outcome = new CommandOutcome(false, "b is not joined: Down", "wait until mirrorctl status says Joined");
        _time.Advance(TimeSpan.FromDays(5));
        Assert.Equal(
            "the verify that is due is skipped: b is not joined: Down; wait until mirrorctl status says Joined",
            Assert.Single(_skipped));
        _outcome = new CommandOutcome(true, "comparing", null);
        _time.Advance(TimeSpan.FromDays(1));
        Assert.Single(_begun);
        Assert.Equal(s_due.AddDays(7), _scheduled.Next);
        _time.Advance(TimeSpan.FromDays(7));
        Assert.Equal(2, _begun.Count);
        Assert.Single(_skipped);
    }

    [Fact]
    public void One_whose_time_passed_while_the_machine_stood_still_is_skipped()
    {
        _time.Set(s_due.AddHours(8));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(_begun);
        Assert.Contains("480 minutes late", Assert.Single(_skipped));
        Assert.Equal(s_due.AddDays(7), _scheduled.Next);
    }

    [Fact]
    public void A_few_minutes_late_it_begins_all_the_same()
    {
        _time.Set(s_due.AddMinutes(4));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Single(_begun);
        Assert.Empty(_skipped);
    }

    [Fact]
    public void A_clock_that_is_set_back_by_minutes_does_not_begin_it_twice()
    {
        _time.Advance(s_due - s_wednesday);
        Assert.Single(_begun);
        _time.Set(s_due.AddMinutes(-10));
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Single(_begun);
    }

    [Fact]
    public void A_clock_that_was_years_ahead_is_followed_when_it_is_set_right()
    {
        _time.Set(s_due.AddYears(3));
        _time.Advance(TimeSpan.FromMinutes(1));
        _skipped.Clear();
        _time.Set(s_wednesday);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(s_due, _scheduled.Next);
        _time.Advance(TimeSpan.FromDays(7));
        Assert.Equal(s_due, Assert.Single(_begun));
        Assert.Empty(_skipped);
    }

    [Fact]
    public void After_its_end_none_begins()
    {
        _scheduled.Dispose();
        _time.Advance(TimeSpan.FromDays(30));
        Assert.Empty(_begun);
    }
}
