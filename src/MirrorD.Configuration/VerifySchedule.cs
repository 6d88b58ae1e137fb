using System.Globalization;

namespace MirrorD.Configuration;

/// <summary>When a verify begins by itself: at a time of the day, by the clock on the wall, on some days of the week.</summary>
/// <param name="Days">At least one.</param>
/// <param name="At">Time of the day, in the time zone of the node.</param>
public sealed record VerifySchedule(Weekdays Days, TimeOnly At)
{
    /// <summary>Reads e.g. "Sun 02:00", "Mon,Thu 01:30" or "daily 03:00"; null when it is nothing of the kind.</summary>
    public static VerifySchedule? Parse(string text)
    {
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length != 2
            || !TimeOnly.TryParseExact(parts[1], "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly at))
        {
            return null;
        }

        Weekdays days = Weekdays.None;
        foreach (string day in parts[0] == "daily" ? [] : parts[0].Split(','))
        {
            if (!IsDay(day))
            {
                return null;
            }

            days |= Enum.Parse<Weekdays>(day);
        }

        return new VerifySchedule(days == Weekdays.None ? Weekdays.All : days, at);
    }

    /// <summary>
    /// The first one later than this. A time that the zone skips that day, as summer time begins, counts as the first one after
    /// the gap; of one that it has twice the first counts.
    /// </summary>
    public DateTimeOffset Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        DateTime day = TimeZoneInfo.ConvertTime(after, zone).Date.AddDays(-1);
        while (true)
        {
            if (Days.HasFlag((Weekdays)(1 << (int)day.DayOfWeek)) && On(day, zone) is var at && at > after)
            {
                return at;
            }

            day = day.AddDays(1);
        }
    }

    private static bool IsDay(string word) =>
        word is nameof(Weekdays.Mon) or nameof(Weekdays.Tue) or nameof(Weekdays.Wed) or nameof(Weekdays.Thu)
            or nameof(Weekdays.Fri) or nameof(Weekdays.Sat) or nameof(Weekdays.Sun);

    private DateTimeOffset On(DateTime day, TimeZoneInfo zone)
    {
        DateTime local = day + At.ToTimeSpan();
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(1);
        }

        TimeSpan offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset).ToUniversalTime();
    }
}
