using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>A Primary that alone loses the production network, with prefer-connected-node: auto.</summary>
public sealed class PreferConnectedNodeTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options = PairOptions.Automatic with { Gateway = true };

    [HostFact]
    public void A_primary_that_alone_loses_the_production_network_hands_over_without_loss()
    {
        Witness.WaitForWrites(Primary);
        Lab.Production.Unplug(Primary.Host);
        WaitForTakeover();
        Primary.WaitFor("to be Standby", 20, view => view.Role == "Standby" && view.IsJoined);
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }
}
