using System.Globalization;
using MirrorD.Configuration;

namespace MirrorD.Daemon.Tests.Configuration;

/// <summary>When a verify begins by itself, from the words in the file.</summary>
public class VerifyScheduleTests
{
    /// <summary>An hour east of Greenwich; summer time from the last Sunday in March, 2:00, to that in October, 3:00.</summary>
    private static readonly TimeZoneInfo s_summery = TimeZoneInfo.CreateCustomTimeZone(
        "summery", TimeSpan.FromHours(1), "summery", "summery", "summery in summer",
        [
            TimeZoneInfo.AdjustmentRule.CreateAdjustmentRule(
                DateTime.MinValue.Date, DateTime.MaxValue.Date, TimeSpan.FromHours(1),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 2, 0, 0), 3, 5, DayOfWeek.Sunday),
                TimeZoneInfo.TransitionTime.CreateFloatingDateRule(new DateTime(1, 1, 1, 3, 0, 0), 10, 5, DayOfWeek.Sunday)),
        ]);

    [Theory]
    [InlineData("Sun 02:00", Weekdays.Sun, 2, 0)]
    [InlineData("Mon,Thu 01:30", Weekdays.Mon | Weekdays.Thu, 1, 30)]
    [InlineData("daily 23:59", Weekdays.All, 23, 59)]
    [InlineData("Tue,Wed,Fri,Sat  00:00", Weekdays.Tue | Weekdays.Wed | Weekdays.Fri | Weekdays.Sat, 0, 0)]
    public void Days_and_a_time_are_read(string text, Weekdays days, int hour, int minute) =>
        Assert.Equal(new VerifySchedule(days, new TimeOnly(hour, minute)), VerifySchedule.Parse(text));

    [Theory]
    [InlineData("Sun")]
    [InlineData("02:00")]
    [InlineData("Sun 2:00")]
    [InlineData("Sun 24:00")]
    [InlineData("Sunday 02:00")]
    [InlineData("Sun, Mon 02:00")]
    [InlineData("Sun, 02:00")]
    [InlineData("All 02:00")]
    [InlineData("1 02:00")]
    [InlineData("daily,Mon 02:00")]
    [InlineData("Sun 02:00 UTC")]
    public void Anything_else_is_no_schedule(string text) => Assert.Null(VerifySchedule.Parse(text));

    [Theory]
    [InlineData("Sun 02:00", "2026-11-21 12:00", "2026-11-22 02:00")]
    [InlineData("Sun 02:00", "2026-11-22 01:59", "2026-11-22 02:00")]
    [InlineData("Sun 02:00", "2026-11-22 02:00", "2026-11-29 02:00")]
    [InlineData("daily 02:00", "2026-12-31 02:00", "2027-01-01 02:00")]
    [InlineData("Mon,Thu 01:30", "2026-11-24 00:00", "2026-11-26 01:30")]
    public void The_next_one_is_the_first_that_is_later(string text, string after, string expected) =>
        Assert.Equal(Utc(expected), VerifySchedule.Parse(text)!.Next(Utc(after), TimeZoneInfo.Utc));

    [Theory]
    [InlineData("Sat 02:30", "2026-06-01 00:00", "2026-06-06 00:30")]
    [InlineData("Mon 00:30", "2026-01-01 00:00", "2026-01-04 23:30")]
    [InlineData("Sun 02:30", "2026-03-28 12:00", "2026-03-29 01:00")]
    [InlineData("Sun 02:30", "2026-10-24 12:00", "2026-10-25 00:30")]
    [InlineData("Sun 02:30", "2026-10-25 00:30", "2026-11-01 01:30")]
    public void It_goes_by_the_clock_on_the_wall_also_as_that_is_changed(string text, string after, string expected) =>
        Assert.Equal(Utc(expected), VerifySchedule.Parse(text)!.Next(Utc(after), s_summery));

    private static DateTimeOffset Utc(string text) =>
        DateTimeOffset.ParseExact(text, "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
