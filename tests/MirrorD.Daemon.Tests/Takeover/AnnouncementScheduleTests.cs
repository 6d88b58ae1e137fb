using MirrorD.Daemon.Takeover;

namespace MirrorD.Daemon.Tests.Takeover;

public sealed class AnnouncementScheduleTests
{
    [Fact]
    public void It_is_a_burst_and_then_once_a_minute()
    {
        Assert.Equal(
            [0, 200, 1_300, 2_500, 5_000, 10_000, 70_000, 130_000],
            Times(new AnnouncementSchedule(1_000), 1_000, untilMs: 150_000));
    }

    [Fact]
    public void Begun_anew_it_is_the_burst_again()
    {
        var schedule = new AnnouncementSchedule(0);
        Assert.Equal([0, 200, 1_300], Times(schedule, 0, untilMs: 2_000));
        schedule.Begin(2_000);
        Assert.Equal([0, 200, 1_300, 2_500, 5_000, 10_000], Times(schedule, 2_000, untilMs: 60_000));
    }

    [Fact]
    public void What_a_stopped_process_missed_is_announced_once()
    {
        var schedule = new AnnouncementSchedule(0);
        Assert.True(schedule.TakeDue(0));
        Assert.True(schedule.TakeDue(4_000));
        Assert.False(schedule.TakeDue(4_999));
        Assert.True(schedule.TakeDue(5_000));
        Assert.True(schedule.TakeDue(1_000_000));
        Assert.False(schedule.TakeDue(1_000_001));
        Assert.Equal(1_060_000, schedule.DueMs);
    }

    /// <summary>When it announces, in milliseconds from the beginning.</summary>
    private static List<long> Times(AnnouncementSchedule schedule, long beginMs, long untilMs)
    {
        List<long> times = [];
        for (long nowMs = beginMs; nowMs < beginMs + untilMs; nowMs++)
        {
            if (schedule.TakeDue(nowMs))
            {
                times.Add(nowMs - beginMs);
            }
        }

        return times;
    }
}
