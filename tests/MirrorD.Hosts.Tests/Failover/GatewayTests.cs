using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>Safety contract, section 5: both networks lost, without arbiter, each node with a gateway to ask.</summary>
public sealed class GatewayTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options =
        PairOptions.Automatic with { Gateway = true, ResourceLines = [ReleaseTimeout] };

    [HostFact]
    public void When_the_primary_host_dies_the_standby_takes_over_while_its_gateway_answers()
    {
        Witness.WaitForWrites(Primary);
        Primary.LoseHost();
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover");
        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
    }

    [HostFact]
    public void When_the_standby_host_dies_the_primary_goes_on_while_its_gateway_answers()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseHost();
        Primary.WaitFor("to go on", 20, view => view.Proof == "PeerLossPolicy");
        Witness.WaitForWrites(Primary);
        AssertNotified(Primary, "peer-lost");
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }

    [HostTheory]
    [InlineData("unplugged")]
    [InlineData("silent")]
    public void An_isolated_primary_freezes_and_drops_its_address_and_the_standby_takes_over(string cut)
    {
        Witness.WaitForWrites(Primary);
        Lab.Isolate(Primary.Host);
        if (cut == "unplugged")
        {
            Lab.Production.Unplug(Primary.Host);
        }

        Wait.For(
            $"{Primary.Name} to drop {Address}", 20, () => !Primary.Host.Holds(Address), () => Lab.Logs());
        WaitForTakeover();
        int count = Witness.Of(Primary).Count;
        Wait.While("the isolated node completes nothing", 1, () => Witness.Of(Primary).Count == count);
        Assert.NotNull(Primary.Status().HoldUp);
        AssertNotified(Standby, "peer-lost", "takeover");
        AssertNotified(Primary, "peer-lost");

        AssertConverges();
        Assert.True(Standby.Status().IsPrimary);
        Assert.False(Primary.Status().IsPrimary);
    }

    [HostFact]
    public void A_standby_whose_gateway_is_silent_takes_itself_for_the_one_that_is_cut_off()
    {
        Witness.WaitForWrites(Primary);
        Lab.Gateway.Ignore(Standby.Host);

        // It is heard all the same: it asks everybody who has an address that nobody has.
        LabProcess asking = Lab.Gateway.Start("asks", "ping", "-n", "-i", "0.2", "10.77.0.99");
        try
        {
            Primary.LoseHost();
            WaitForNotification(Standby, "peer-lost");
            AssertNoTakeover();
            AssertNotified(Standby, "peer-lost");
            Assert.True(asking.IsRunning, asking.Tail());
        }
        finally
        {
            asking.Kill();
        }

        Lab.Gateway.IgnoreNobody();
        WaitForTakeover();
        AssertNotified(Standby, "peer-lost", "takeover");
        AssertConverges();
    }

    [HostFact]
    public void A_standby_without_production_carrier_takes_itself_for_the_one_that_is_cut_off()
    {
        Witness.WaitForWrites(Primary);
        Lab.Production.Unplug(Standby.Host);
        WaitForNotification(Standby, "path-lost");
        Primary.LoseHost();
        WaitForNotification(Standby, "peer-lost");
        AssertNoTakeover();

        // With its carrier back it is no longer the one that is cut off.
        Lab.Production.Plug(Standby.Host);
        WaitForTakeover();
        AssertConverges();
    }

    [HostFact]
    public void A_standby_that_starts_alone_stays_standby_and_names_the_command()
    {
        Witness.WaitForWrites(Primary);
        Standby.LoseHost();
        Primary.LoseHost();
        Lab.MendNetworks();
        Primary.StartAndWait();
        Primary.WaitFor("to be alone", 20, view => view.HoldUp == "LoneBoot");
        Node returned = Primary;
        Wait.While("it stays Standby", 3, () => !returned.Status().IsPrimary && !returned.Host.Holds(Address));
        Assert.Contains("promote", returned.Explain(), StringComparison.Ordinal);
        AssertConverges();
    }

    [HostFact]
    public void When_only_the_nodes_are_parted_the_split_is_found_and_never_merged_by_itself()
    {
        Witness.WaitForWrites(Primary);
        Lab.PartNodes();
        WaitForTakeover();
        Witness.WaitForWrites(Primary);
        Witness.WaitForWrites(Standby);
        Spoil();
        Witness.Stop();
        Lab.MendNetworks();
        foreach (Node node in (Node[])[Primary, Standby])
        {
            WaitForNotification(node, "split-brain");
            Wait.While("both stay apart", 1, () => node.Status().Link != "Joined");
            Assert.Single(Notified(node), "split-brain");
        }

        Assert.Empty(Witness.Of(Primary).Verify(Primary.Export()));
        Assert.Empty(Witness.Of(Standby).Verify(Standby.Export()));
        (string kept, string lost) = (Primary.Name, Standby.Name);
        string shown = Primary.Control("split-brain", "show", Pair.ResourceName).Require().Output;
        Assert.Matches($"{kept}: Primary, UpToDate; alone since 2.*; changed since the split: [1-9]", shown);
        Assert.Matches($"{lost}: Primary, UpToDate; alone since 2.*; changed since the split: [1-9]", shown);
        var early = Primary.Control("split-brain", "resolve", Pair.ResourceName, "--discard", lost, "--yes");
        Assert.Contains("demote", early.Error, StringComparison.Ordinal);

        Demote(Standby);
        Primary.Control("split-brain", "resolve", Pair.ResourceName, "--discard", lost, "--yes").Require();
        Standby.WaitFor("the copies to be joined", 60, view => view.IsJoined);
        Assert.Empty(Witness.Of(Primary).Verify(Primary.Export()));
        Assert.True(Primary.Status().IsPrimary);
    }

    /// <summary>
    /// Nodes in a split try to join each 10 s. A demotion that has just begun is ended by that, and says what to do.
    /// </summary>
    private static void Demote(Node node) => Wait.For("a demotion between two attempts to join", 60, () =>
    {
        ToolResult said = node.Control("demote", Pair.ResourceName);
        Assert.True(said.Succeeded || said.Error.Contains("came back meanwhile; run the command again"), said.Text);
        return said.Succeeded;
    });
}
