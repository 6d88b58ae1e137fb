using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>Safety contract, section 5: daemons that are stopped in order, without arbiter.</summary>
public sealed class PlannedStopTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options = PairOptions.Automatic with { Gateway = true };

    [HostFact]
    public void A_standby_that_is_stopped_says_goodbye_and_the_primary_goes_on_without_freeze_or_alarm()
    {
        Witness.WaitForWrites(Primary);
        Standby.Daemon.Terminate();
        Witness.WaitForWrites(Primary, seconds: 5);
        ResourceView view = Primary.Status();
        Assert.Null(view.HoldUp);
        Assert.Equal("PeerOutdated", view.Proof);
        AssertNotifiedAtMost(Primary, "peer-lost");
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }

    [HostFact]
    public void A_primary_that_is_stopped_releases_and_nobody_takes_over()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Terminate();
        Assert.False(Primary.Host.Holds(Address));
        AssertNoTakeover();
        Assert.DoesNotContain("takeover", Notified(Standby));

        // Both have equal rights then, and no node is preferred: the operator decides.
        Heal();
        Pair.WaitUntilJoined(60);
        Primary.Control("promote", Pair.ResourceName).Require();
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }
}
