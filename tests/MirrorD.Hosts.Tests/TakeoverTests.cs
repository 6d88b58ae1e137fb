using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>The service address moves with the role, and the client learns of it.</summary>
public sealed class TakeoverTests : PairTest
{
    private const string Address = MirrorD.Lab.Lab.ServiceAddress;

    [HostFact]
    public void Switchover_moves_role_data_and_address_and_the_client_follows()
    {
        Pair pair = StartPair();
        ArpWatch watch = ReachServiceOn(pair.A);
        var workload = new StampedWorkload(blockCount: 2000, seed: 21);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);
        workload.Stop();

        pair.A.Control("switchover", Pair.ResourceName).Require();
        pair.B.WaitFor("to be Primary", 20, view => view.IsPrimary);
        AssertServiceMovedTo(pair.B, watch);
        pair.A.WaitFor("to be Standby", 20, view => view.Role == "Standby" && view.IsJoined);
        Assert.False(pair.A.Host.Holds(Address));
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));

        // And back, asked for on the node that is to become Primary.
        pair.A.Control("switchover", Pair.ResourceName).Require();
        pair.A.WaitFor("to be Primary", 20, view => view.IsPrimary);
        AssertServiceMovedTo(pair.A, watch);
        Assert.Empty(workload.Verify(pair.A.Export(), powerWasCut: false));
        pair.WaitUntilJoined(20);
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void After_the_death_of_the_primary_the_standby_gets_address_and_data_and_the_old_one_joins_it()
    {
        Pair pair = StartPair(new PairOptions { Arbiter = true });
        ArpWatch watch = ReachServiceOn(pair.A);
        var workload = new StampedWorkload(blockCount: 2000, seed: 22);
        workload.Start(pair.A.Export());
        Wait.For("500 writes", 20, () => workload.Acknowledged > 500);

        pair.A.Daemon.Kill();
        pair.A.Host.Run("ip", "link", "set", "prod", "down").Require();
        workload.WaitForEnd();
        Pair.TakeOver(pair.B);
        AssertServiceMovedTo(pair.B, watch);
        Assert.Empty(workload.Verify(pair.B.Export(), powerWasCut: false));

        // The host comes back as after a reboot: without the address.
        pair.A.Host.Boot();
        pair.A.Host.Run("ip", "addr", "del", $"{Address}/32", "dev", "prod");
        pair.A.Host.Run("ip", "link", "set", "prod", "up").Require();
        pair.A.StartAndWait();
        pair.WaitUntilJoined(60);
        Assert.Equal("Standby", pair.A.Status().Role);
        Assert.False(pair.A.Host.Holds(Address));
        WaitUntilIdentical(pair);
    }

    [HostFact]
    public void Without_proof_a_promotion_is_refused_with_a_reason_and_force_says_what_it_costs()
    {
        Pair pair = StartPair();
        pair.A.Daemon.Kill();
        pair.B.WaitFor("to miss its peer", 20, view => view.Link != "Joined");

        var refused = pair.B.Control("promote", Pair.ResourceName);
        Assert.False(refused.Succeeded);
        Assert.NotEmpty(refused.Text);
        Assert.Equal("Standby", pair.B.Status().Role);

        pair.B.Control("promote", Pair.ResourceName, "--force", "--yes").Require();
        pair.B.WaitFor("to be Primary", 20, view => view.IsPrimary);
    }

    private ArpWatch ReachServiceOn(Node node)
    {
        Wait.For($"{node.Name} to hold {Address}", 20, () => node.Host.Holds(Address));
        Wait.For("the service address to answer", 20, () => Lab.Client.Pings(Address));
        Assert.Equal(node.Host.HardwareAddress("prod"), Lab.Client.Neighbour(Address));
        return new ArpWatch(Lab.Client);
    }

    private void AssertServiceMovedTo(Node node, ArpWatch watch)
    {
        string hardwareAddress = node.Host.HardwareAddress("prod");
        Wait.For($"{node.Name} to hold {Address}", 20, () => node.Host.Holds(Address));
        Wait.For(
            "a gratuitous ARP request and reply on the wire", 20,
            () => watch.GratuitousRequests(Address, hardwareAddress) > 0
                && watch.GratuitousReplies(Address, hardwareAddress) > 0,
            watch.Tail);
        Wait.For(
            $"the client's neighbour table to name {hardwareAddress}", 20,
            () => Lab.Client.Neighbour(Address) == hardwareAddress, watch.Tail);
        Assert.True(Lab.Client.Pings(Address));
    }
}
