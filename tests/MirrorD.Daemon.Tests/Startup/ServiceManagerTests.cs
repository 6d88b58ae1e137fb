using MirrorD.Daemon.Startup;

namespace MirrorD.Daemon.Tests.Startup;

/// <summary>What systemctl prints, and what it means for a daemon that is asked to end.</summary>
public class ServiceManagerTests
{
    private static readonly string[] s_running = ["running"];

    [Theory]
    [InlineData("0::/system.slice/mirrord.service", "mirrord.service")]
    [InlineData("0::/system.slice/mirrord.service/hooks", "mirrord.service")]
    [InlineData("1:name=systemd:/system.slice/system-mirrord.slice/mirrord@x.service", "mirrord@x.service")]
    [InlineData("0::/user.slice/user-0.slice/session-1.scope", null)]
    [InlineData("0::/", null)]
    public void The_unit_is_read_from_the_control_group(string line, string? unit) =>
        Assert.Equal(unit, ServiceManager.UnitOf([line]));

    [Theory]
    [InlineData("1234 mirrord.service restart running", "Restart")]
    [InlineData("1234 mirrord.service try-restart waiting", "Restart")]
    [InlineData("1234 mirrord.service stop running", "Stop")]
    [InlineData("1234 other.service restart running", "Stop")]
    [InlineData("No jobs running.", "Stop")]
    [InlineData("", "Stop")]
    public void A_job_of_the_unit_tells_a_restart_from_a_stop(string job, string reason) =>
        Assert.Equal(reason, ServiceManager.Reason([job], "mirrord.service", s_running).ToString());

    [Fact]
    public void A_system_that_stops_comes_before_any_job() => Assert.Equal(
        StopReason.HostStops,
        ServiceManager.Reason(["7 mirrord.service restart running"], "mirrord.service", ["stopping"]));
}
