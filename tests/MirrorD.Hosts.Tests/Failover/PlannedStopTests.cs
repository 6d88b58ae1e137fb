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
}
