using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>As <see cref="PlannedStopTests"/>, with on-stop: switchover.</summary>
public sealed class StopWithSwitchoverTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Gateway = true, ResourceLines = ["on-stop: switchover"] };

    [HostFact]
    public void A_primary_that_is_stopped_hands_over_first()
    {
        Witness.WaitForWrites(Primary);
        Primary.Daemon.Terminate(30);
        WaitForTakeover();
        Assert.Null(Standby.Status().HoldUp);
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }
}
