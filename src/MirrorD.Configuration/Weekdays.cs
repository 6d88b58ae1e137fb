namespace MirrorD.Configuration;

/// <summary>Days of the week.</summary>
[Flags]
public enum Weekdays
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Sunday; each day is 1 shifted by its <see cref="DayOfWeek"/>.</summary>
    Sun = 1 << DayOfWeek.Sunday,

    /// <summary>Monday.</summary>
    Mon = 1 << DayOfWeek.Monday,

    /// <summary>Tuesday.</summary>
    Tue = 1 << DayOfWeek.Tuesday,

    /// <summary>Wednesday.</summary>
    Wed = 1 << DayOfWeek.Wednesday,

    /// <summary>Thursday.</summary>
    Thu = 1 << DayOfWeek.Thursday,

    /// <summary>Friday.</summary>
    Fri = 1 << DayOfWeek.Friday,

    /// <summary>Saturday.</summary>
    Sat = 1 << DayOfWeek.Saturday,

    /// <summary>Every day.</summary>
    All = Sun | Mon | Tue | Wed | Thu | Fri | Sat,
}
