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

    [Fact]
    public async Task A_service_manager_that_answers_late_is_asked_again()
    {
        int questions = 0;
        StopReason? reason = await ServiceManager.WhyStop("mirrord.service", arguments => Task.FromResult(
            arguments is ["is-system-running"] ? s_running
            : ++questions < 3 ? null
            : (IReadOnlyList<string>?)["7 mirrord.service restart running"]), TimeSpan.FromMinutes(1));
        Assert.Equal(StopReason.Restart, reason);
        Assert.Equal(3, questions);
    }

    [Theory]
    [InlineData("offline")]
    [InlineData("unknown")]
    [InlineData("Failed to connect to system scope bus: Connection refused")]
    public async Task A_service_manager_that_never_answers_is_no_stop(string state) => Assert.Null(
        await ServiceManager.WhyStop("mirrord.service", arguments => Task.FromResult(
            arguments is ["is-system-running"] ? (IReadOnlyList<string>?)[state] : null), TimeSpan.Zero));

    [Fact]
    public async Task A_system_that_stops_needs_no_other_answer() => Assert.Equal(
        StopReason.HostStops,
        await ServiceManager.WhyStop("mirrord.service", arguments => Task.FromResult(
            arguments is ["is-system-running"] ? (IReadOnlyList<string>?)["stopping"] : null), TimeSpan.FromMinutes(1)));

    [Fact]
    public async Task No_job_is_an_answer() => Assert.Equal(
        StopReason.Stop,
        await ServiceManager.WhyStop("mirrord.service", arguments => Task.FromResult(
            arguments is ["is-system-running"] ? s_running : (IReadOnlyList<string>?)[]), TimeSpan.FromMinutes(1)));

    [Fact]
    public void All_limits_of_a_stop_fit_into_that_of_the_unit()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "systemd", "mirrord.service")))
        {
            root = Path.GetDirectoryName(root) ?? throw new FileNotFoundException("systemd/mirrord.service");
        }

        string line = File.ReadLines(Path.Combine(root, "systemd", "mirrord.service"))
            .Single(one => one.StartsWith("TimeoutStopSec=", StringComparison.Ordinal));
        int seconds = int.Parse(line.Split('=')[1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(StopLimits.All.TotalSeconds, 1, seconds - 2);
        Assert.True(ServiceManager.AskWait < StopLimits.Orderly / 2, "the hooks need their time, too");
    }
}
