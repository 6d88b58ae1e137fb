using MirrorD.Lab;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Witness;
using Xunit.Abstractions;
using ServiceClient = MirrorD.Lab.Witness.ServiceClient;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>Safety contract, section 5: both networks lost, with an arbiter.</summary>
public sealed class ArbiterTests(SharedPair shared, ITestOutputHelper output) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Arbiter = true, ResourceLines = [ReleaseTimeout] };

    [HostFact]
    public void When_the_primary_host_dies_the_standby_takes_over_and_the_client_follows()
    {
        using var onA = new ServiceEcho(Lab.A);
        using var onB = new ServiceEcho(Lab.B);
        using var client = new ServiceClient(Lab.Client);
        using var watch = new ArpWatch(Lab.Client);
        Wait.For($"an answer of {Primary.Name}", 20, () => client.Last == Primary.Name);
        Witness.WaitForWrites(Primary);

        DateTime lostAt = DateTime.UtcNow;
        Primary.LoseHost();
        WaitForTakeover();
        string hardwareAddress = Standby.Host.HardwareAddress(Host.ProductionInterface);
        Wait.For(
            "both forms of gratuitous ARP on the wire", 20,
            () => watch.GratuitousRequests(Address, hardwareAddress) > 0
                && watch.GratuitousReplies(Address, hardwareAddress) > 0,
            watch.Tail);
        Wait.For(
            "the client's neighbour table to name the new place", 20,
            () => Lab.Client.Neighbour(Address) == hardwareAddress, watch.Tail);
        Wait.For($"an answer of {Standby.Name} over the service address", 30, () => client.Last == Standby.Name);
        AssertNotified(Standby, "peer-lost", "takeover");

        RoleChange takeover = Standby.History()[^1];
        TimeSpan detection = takeover.At - lostAt;
        output.WriteLine(
            $"lost after {detection.TotalMilliseconds:0} ms; {takeover}; the client was without answer for " +
            $"{client.Interruption.TotalSeconds:0.0} s");
        Assert.Equal(("takeover", true), (takeover.Kind, takeover.Succeeded));

        // The record begins when the first path counted as lost.
        TimeSpan most = Pair.Options.DeadAfter!.Value + (2 * Pair.Options.HeartbeatInterval!.Value);
        Assert.InRange(detection, TimeSpan.Zero, most);

        // The old Primary takes no address and becomes Standby.
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }

    [HostFact]
    public void When_all_networks_between_both_are_cut_exactly_one_goes_on()
    {
        Witness.WaitForWrites(Primary);
        Lab.PartNodes();
        Node winner = WaitForOneToGoOn();
        Node loser = Pair.Other(winner);
        output.WriteLine($"{winner.Name} goes on, {Primary.Name} was Primary");
        loser.WaitFor("to have lost the claim", 20, view => !view.IsPrimary && view.DiskState == "Outdated");
        Wait.While("one node alone completes writes", 2, () => Witness.Violations().Count == 0);
        string[] ofWinner = winner == Primary ? ["peer-lost"] : ["peer-lost", "takeover"];
        string[] ofLoser = loser == Primary ? ["peer-lost", "right-lost"] : ["peer-lost"];
        AssertNotified(winner, ofWinner);
        AssertNotified(loser, ofLoser);
        AssertConverges();
    }

    [HostFact]
    public void While_the_arbiter_is_gone_nobody_goes_on_and_when_it_is_back_one_does()
    {
        Witness.WaitForWrites(Primary);
        Primary.LoseArbiter();
        Standby.LoseArbiter();
        Lab.PartNodes();
        Primary.WaitFor("to freeze", 20, view => view.HoldUp == "FrozenNoArbiter");
        int count = Witness.OfA.Count + Witness.OfB.Count;
        AssertNoTakeover();
        Assert.Equal(count, Witness.OfA.Count + Witness.OfB.Count);
        AssertBothNotified("peer-lost");

        Primary.FindArbiter();
        Standby.FindArbiter();
        WaitForOneToGoOn();
        AssertConverges();
    }

    [HostFact]
    public void While_a_dead_primarys_standby_cannot_reach_the_arbiter_it_waits_and_then_takes_over()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseArbiter();
        Primary.LoseHost();
        WaitForNotification(Standby, "peer-lost");
        AssertNoTakeover();
        AssertNotified(Standby, "peer-lost");

        Standby.FindArbiter();
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover");
        AssertConverges();
    }

    [HostFact]
    public void An_arbiter_that_is_gone_does_not_matter_to_a_joined_pair_nor_while_the_standby_can_be_asked()
    {
        Primary.LoseArbiter();
        Standby.LoseArbiter();
        Witness.WaitForWrites(Primary);
        Lab.Link.CutSilently();
        Standby.WaitFor("to store Outdated", 20, view => view.DiskState == "Outdated");
        Witness.WaitForWrites(Primary);
        AssertBothNotified("path-lost");
        AssertConverges();
    }

    [HostFact]
    public void When_the_standby_host_dies_the_primary_goes_on_with_the_arbiters_grant()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseHost();
        Primary.WaitFor("to go on", 20, view => view.Proof == "ArbiterGrant");
        Witness.WaitForWrites(Primary);
        AssertNotified(Primary, "peer-lost");
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }

    [HostFact]
    public void After_a_power_cut_of_both_one_that_starts_alone_serves_with_the_arbiters_grant()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseHost();
        Primary.LoseHost();
        Lab.MendNetworks();
        Node first = Primary;
        first.StartAndWait();
        first.WaitFor("to serve by itself", 30, view => view.IsPrimary);
        Witness.WaitForWrites(first);
        AssertConverges();
        Assert.True(first.Status().IsPrimary);
    }

    [HostFact]
    public void After_a_power_cut_of_both_they_join_with_one_primary()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseHost();
        Primary.LoseHost();
        AssertConverges();
    }

    private Node WaitForOneToGoOn()
    {
        int ofA = Witness.OfA.Count;
        int ofB = Witness.OfB.Count;
        Node? winner = null;
        Wait.For(
            "one node to complete writes alone", 30,
            () => (winner = GoesOn(Pair.A, ofA) ?? GoesOn(Pair.B, ofB)) is not null, () => Lab.Logs());
        return winner!;

        Node? GoesOn(Node node, int before) =>
            node.Status().Proof == "ArbiterGrant" && Witness.Of(node).Count > before ? node : null;
    }
}
