using MirrorD.Lab;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>A Primary without arbiter that loses its peer, with on-peer-loss: freeze.</summary>
public sealed class OnPeerLossFreezeTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Gateway = true, OnPeerLoss = "freeze" };

    [HostFact]
    public void With_freeze_the_primary_holds_requests_until_the_operator_decides()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseHost();
        Primary.WaitFor("to freeze", 20, view => view.HoldUp == "FrozenNoProof");
        int count = Witness.Of(Primary).Count;
        Wait.While("no write is acknowledged", 1, () => Witness.Of(Primary).Count == count);
        AssertNotified(Primary, "peer-lost");
        Assert.Contains("promote", Primary.Explain(), StringComparison.Ordinal);
        Primary.Control("promote", Pair.ResourceName, "--force", "--yes").Require();
        Witness.WaitForWrites(Primary);
        AssertConverges();
    }
}
