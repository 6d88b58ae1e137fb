using MirrorD.Lab;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>
/// Safety contract, section 5: one lost path never moves the role, and is notified exactly once for each change.
/// </summary>
public sealed class OnePathLostTests(SharedPair shared) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options = PairOptions.Automatic with
    {
        Arbiter = true,
        Gateway = true,
        ResourceLines = ["prefer-connected-node: ask"],
    };

    [HostTheory]
    [InlineData("down at the primary")]
    [InlineData("down at the standby")]
    [InlineData("silent")]
    [InlineData("silent towards the primary")]
    [InlineData("silent towards the standby")]
    public void Without_the_dedicated_link_the_primary_goes_on_after_the_standby_stored_Outdated(string cut)
    {
        Witness.WaitForWrites(Primary);
        CutDedicated(cut);
        Standby.WaitFor("to store Outdated", 20, view => view.DiskState == "Outdated");
        Witness.WaitForWrites(Primary);
        AssertNoTakeover();
        ResourceView primary = Primary.Status();
        Assert.True(primary.IsPrimary);
        Assert.Equal("PeerOutdated", primary.Proof);
        Assert.Null(primary.HoldUp);
        Assert.True(Primary.Host.Holds(Address));
        AssertBothNotified("path-lost");

        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
        AssertBothNotified("path-lost", "path-restored");
    }

    [HostTheory]
    [InlineData("unplugged at the primary")]
    [InlineData("disabled at the primary")]
    [InlineData("unplugged at the standby")]
    [InlineData("silent at the standby")]
    [InlineData("silent towards the standby")]
    [InlineData("silent towards the primary")]
    [InlineData("between the nodes only")]
    public void Without_the_production_network_the_primary_goes_on_mirrored(string cut)
    {
        // A Primary that no client reaches, and that is to ask before it hands over, says that as well.
        string[] ofPrimary = cut.EndsWith("at the primary", StringComparison.Ordinal)
            ? ["path-lost", "production-lost"]
            : ["path-lost"];
        Witness.WaitForWrites(Primary);
        CutProduction(cut);
        WaitForNotification(Primary, "path-lost");
        WaitForNotification(Standby, "path-lost");
        AssertNoTakeover();
        Assert.True(Primary.Status() is { IsPrimary: true, IsJoined: true });
        Assert.True(Standby.Status().IsJoined);
        Witness.WaitForWrites(Primary);
        AssertNotified(Primary, ofPrimary);
        AssertNotified(Standby, "path-lost");

        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
        AssertNotified(Primary, [.. ofPrimary, "path-restored"]);
        AssertNotified(Standby, "path-lost", "path-restored");
    }

    [HostFact]
    public void An_Outdated_standby_does_not_take_over_when_the_primary_dies_and_explains_what_force_would_lose()
    {
        Witness.WaitForWrites(Primary);
        Lab.Link.CutSilently();
        Standby.WaitFor("to store Outdated", 20, view => view.DiskState == "Outdated");
        Witness.WaitForWrites(Primary);
        WaitForNotification(Standby, "path-lost");

        Primary.LoseHost();
        WaitForNotification(Standby, "peer-lost");
        AssertNoTakeover();
        string explained = Standby.Explain();
        Assert.Contains("Outdated", explained, StringComparison.Ordinal);
        Assert.Contains(
            $"everything that {Primary.Name} wrote since", explained, StringComparison.Ordinal);
        Assert.False(Standby.Control("promote", Pair.ResourceName).Succeeded);
        AssertNotified(Standby, "path-lost", "peer-lost");

        // It alone has the newest data: with it everything is there again.
        AssertConverges();
        Assert.True(Primary.Status().IsPrimary);
    }

    private void CutDedicated(string cut)
    {
        switch (cut)
        {
            case "down at the primary": Lab.Link.CutAt(Primary.Host); break;
            case "down at the standby": Lab.Link.CutAt(Standby.Host); break;
            case "silent": Lab.Link.CutSilently(); break;
            case "silent towards the primary": Lab.Link.CutSilentlyTowards(Primary.Host); break;
            case "silent towards the standby": Lab.Link.CutSilentlyTowards(Standby.Host); break;
            default: throw new ArgumentOutOfRangeException(nameof(cut), cut, "unknown");
        }
    }

    private void CutProduction(string cut)
    {
        ProductionNetwork network = Lab.Production;
        switch (cut)
        {
            case "unplugged at the primary": network.Unplug(Primary.Host); break;
            case "disabled at the primary": network.Disable(Primary.Host); break;
            case "unplugged at the standby": network.Unplug(Standby.Host); break;
            case "silent at the standby": network.CutSilently(Standby.Host); break;
            case "silent towards the standby": network.CutSilentlyTowards(Standby.Host); break;
            case "silent towards the primary": network.CutSilentlyTowards(Primary.Host); break;
            case "between the nodes only": network.Part(Primary.Host, Standby.Host); break;
            default: throw new ArgumentOutOfRangeException(nameof(cut), cut, "unknown");
        }
    }
}
