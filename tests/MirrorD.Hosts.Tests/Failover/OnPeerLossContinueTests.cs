using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>As <see cref="OnPeerLossFreezeTests"/>, with on-peer-loss: continue.</summary>
public sealed class OnPeerLossContinueTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Autoswitch = false, OnPeerLoss = "continue" };

    [HostFact]
    public void With_continue_the_primary_goes_on_alone_and_nobody_takes_over()
    {
        Witness.WaitForWrites(Primary);
        Lab.PartNodes();
        Primary.WaitFor("to go on", 20, view => view.Proof == "PeerLossPolicy");
        Witness.WaitForWrites(Primary);
        AssertNoTakeover();
        AssertBothNotified("peer-lost");
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }
}
