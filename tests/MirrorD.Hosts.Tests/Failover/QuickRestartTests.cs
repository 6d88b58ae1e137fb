using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>A daemon that is back before its peer calls it dead.</summary>
public sealed class QuickRestartTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    // The program needs a second or two to start on a busy machine.
    private static readonly PairOptions s_options = PairOptions.Automatic with
    {
        Arbiter = true,
        HeartbeatInterval = TimeSpan.FromMilliseconds(500),
        DeadAfter = TimeSpan.FromSeconds(10),
    };

    [HostFact]
    public void A_primary_whose_daemon_is_back_within_the_window_is_primary_again()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Kill();
        Primary.StartAndWait();
        Primary.WaitFor("to be Primary again", 20, view => view.IsPrimary);
        Witness.WaitForWrites(Primary);
        Assert.Equal("Standby", Standby.Status().Role);
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
        AssertNotifiedAtMost(Primary, "peer-lost", "peer-back");
        AssertNotifiedAtMost(Standby, "peer-lost", "peer-back", "takeover-vetoed");
    }

    [HostFact]
    public void A_standby_whose_daemon_is_back_within_the_window_joins_again()
    {
        Witness.WaitForWrites(Primary);
        Standby.Daemon.Kill();
        Standby.StartAndWait();
        Pair.WaitUntilJoined(30);
        Witness.WaitForWrites(Primary);
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
        AssertNotifiedAtMost(Primary, "peer-lost", "peer-back");
        AssertNotifiedAtMost(Standby, "peer-lost", "peer-back");
    }
}
