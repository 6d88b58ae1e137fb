using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests.Failover;

/// <summary>Rows of the contract's table for a pair without arbiter.</summary>
public class NoArbiterTests
{
    [Fact]
    public void Auto_a_primary_that_sees_the_gateway_goes_on_and_a_standby_that_does_not_stays_one()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Part();
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.PeerLossPolicy, Story.ProofOf(story.A));
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoGateway);
        story.Networks.MendAll();
        story.AwaitHealthy(story.A);
    }

    [Fact]
    public void Auto_a_primary_without_gateway_freezes_without_addresses_and_is_taken_over()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Part(Networks.Gateway, Networks.Client);
        story.AwaitServing(story.B);
        Assert.Equal(FailoverCase.PrimaryIsolated, story.A.Decision?.Case);
        Assert.True(Story.IsPrimary(story.A));
        Assert.False(story.Pair.Addresses.Holds("a"));
        story.Networks.MendAll();
        story.AwaitHealthy(story.B);
        Assert.Equal(0, story.Pair.Tally.Splits);
    }

    [Fact]
    public void Auto_nobody_goes_on_where_no_gateway_answers()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Networks.GatewayIsDead = true;
        story.Part();
        story.AssertFrozen(story.A, FailoverCase.PrimaryIsolated);
        Assert.False(story.Pair.Addresses.Holds("a"));
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoGateway);
        story.Networks.MendAll();
        story.AwaitHealthy(story.A);
    }

    [Fact]
    public void Auto_parted_with_the_gateway_on_both_sides_both_go_on_and_are_never_merged()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.Cut(Networks.Production, "a", "b");
        story.Await("both are Primary", () => Story.IsPrimary(story.A) && Story.IsPrimary(story.B));
        Assert.Equal(1, story.Pair.Tally.Splits);
        story.Run(2000);
        story.Networks.MendAll();
        story.Await("split brain is told", () => story.Pair.Nodes.All(
            node => node.Status is { HoldUp: { State: "SplitBrain", Owner: "operator" } }));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void After_a_split_the_copy_that_an_operator_names_gives_way_to_the_other(string loser)
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.Cut(Networks.Production, "a", "b");
        story.Await("both are Primary", () => Story.IsPrimary(story.A) && Story.IsPrimary(story.B));
        story.Run(2000);
        story.Networks.MendAll();
        story.Await("split brain is told", () => story.Pair.Nodes.All(
            node => node.Status is { HoldUp.State: "SplitBrain" }));

        (SimulatedNodeState giving, SimulatedNodeState keeping) = loser == "a" ? (story.A, story.B) : (story.B, story.A);
        giving.Command(new ResourceCommand.Demote(), _ => { });
        story.Await("the role is given up", () => !Story.IsPrimary(giving));
        CommandOutcome? answer = null;
        giving.Command(new ResourceCommand.DiscardCopy(), outcome => answer = outcome);
        story.Await("an answer", () => answer is not null, 30_000);
        Assert.True(answer!.Succeeded, answer.Message);
        story.AwaitHealthy(keeping);
    }

    [Fact]
    public void Freeze_a_primary_holds_its_requests_and_is_taken_over_from_the_side_of_the_gateway()
    {
        using Story story = Pair(PeerLoss.Freeze);
        story.Part(Networks.Gateway, Networks.Client);
        story.AwaitServing(story.B);
        Assert.Equal(FailoverCase.PrimaryFreezes, story.A.Decision?.Case);
        story.Networks.MendAll();
        story.AwaitHealthy(story.B);
    }

    [Fact]
    public void Freeze_nobody_goes_on_where_the_standby_has_no_gateway()
    {
        using Story story = Pair(PeerLoss.Freeze);
        story.Part();
        story.AssertFrozen(story.A, FailoverCase.PrimaryFreezes);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoGateway);
        story.Networks.MendAll();
        story.AwaitHealthy(story.A);
    }

    [Fact]
    public void Continue_a_primary_goes_on_without_gateway()
    {
        using Story story = Pair(PeerLoss.Continue);
        story.Networks.GatewayIsDead = true;
        story.Part();
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.PeerLossPolicy, Story.ProofOf(story.A));
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoGateway);
    }

    [Fact]
    public void A_primary_without_power_is_taken_over_by_an_eligible_standby()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.CutPower(story.A);
        story.AwaitServing(story.B);
        Assert.Equal(ProofKind.PeerLossPolicy, Story.ProofOf(story.B));
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.B);
    }

    [Fact]
    public void A_standby_that_joined_without_one_of_the_paths_is_not_eligible()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Networks.Cut(Networks.Production, "a", "b");
        story.Run(1000);
        story.Pair.World.Network.Reset("a", "b");
        story.Run(3000);
        Assert.Equal(LinkState.Joined, story.B.Status!.Link);
        story.CutPower(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyNotEligible);
    }

    [Fact]
    public void A_lone_boot_stays_without_primary()
    {
        using Story story = Pair(PeerLoss.Continue);
        story.CutPower(story.A);
        story.CutPower(story.B);
        story.Run(1000);
        story.Pair.StartNode(story.B);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyNotEligible);
        story.CutPower(story.B);
        story.Pair.StartNode(story.A);
        story.AssertNoTakeover(story.A, FailoverCase.StandbyNotEligible);
    }

    [Fact]
    public void Addresses_that_a_dead_daemon_left_prevent_a_takeover()
    {
        using var story = new Story(s => s with { HasArbiter = false, HasReleaseHelper = false });
        story.Kill(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyTakesOver);
        Assert.True(story.Pair.Addresses.Holds("a"));
    }

    [Fact]
    public void A_daemon_gone_from_a_living_host_is_taken_over_once_its_addresses_are_removed()
    {
        using Story story = Pair(PeerLoss.Auto);
        story.Kill(story.A);
        story.AwaitServing(story.B);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.B);
    }

    [Fact]
    public void Without_gateway_nobody_takes_over()
    {
        using var story = new Story(s => s with { HasArbiter = false, HasGateway = false });
        story.CutPower(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoGateway);
    }

    private static Story Pair(PeerLoss policy) =>
        new(s => s with { HasArbiter = false, OnPeerLoss = policy });
}
