using MirrorD.Daemon.Watch;

namespace MirrorD.Daemon.Tests.Watch;

/// <summary>Whether the service manager wants a sign of life, and how often.</summary>
public class WatchdogTests
{
    [Theory]
    [InlineData("20000000", null, 5_000_000_000L)]
    [InlineData("20000000", "77", 5_000_000_000L)]
    [InlineData("20000000", "78", null)]
    [InlineData(null, null, null)]
    [InlineData("0", null, null)]
    [InlineData("soon", null, null)]
    public void It_is_told_four_times_in_a_period(string? period, string? process, long? intervalNs) =>
        Assert.Equal(intervalNs, Watchdog.IntervalNs(period, process, 77));
}
