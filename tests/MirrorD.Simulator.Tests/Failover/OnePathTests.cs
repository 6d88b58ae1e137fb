using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests.Failover;

/// <summary>Rows of the contract's table in which a path is left, or a planned stop was told.</summary>
public class OnePathTests
{
    [Fact]
    public void The_dedicated_network_lost_the_standby_stores_Outdated_and_the_primary_goes_on()
    {
        using var story = new Story(s => s with { HasArbiter = false });
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.PeerOutdated, Story.ProofOf(story.A));
        Assert.Equal(DiskState.Outdated, Story.Stored(story.B).DiskState);

        story.CutPower(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyNotUpToDate);

        story.Networks.MendAll();
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.A);
    }

    [Fact]
    public void Nor_is_an_Outdated_standby_promoted_where_there_is_an_arbiter()
    {
        using var story = new Story(s => s);
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.AwaitServing(story.A);
        story.Kill(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyNotUpToDate);
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    public void One_direction_of_the_dedicated_network_lost_is_like_both(string from, string to)
    {
        using var story = new Story(s => s);
        story.Networks.CutOneWay(Networks.Dedicated, from, to);
        story.Await("the link lost", () => story.A.Status!.Link == LinkState.Disconnected);
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.PeerOutdated, Story.ProofOf(story.A));
        Assert.Equal(0, story.Pair.Tally.Takeovers);
    }

    [Fact]
    public void The_production_network_lost_between_the_nodes_nothing_changes()
    {
        using var story = new Story(s => s);
        story.Networks.Cut(Networks.Production, "a", "b");
        story.Run(4000);
        story.AwaitServing(story.A);
        Assert.Equal(LinkState.Joined, story.A.Status!.Link);
        Assert.Equal(0, story.Pair.Tally.Takeovers);
    }

    [Fact]
    public void The_primary_without_production_carrier_keeps_the_role()
    {
        using var story = new Story(s => s);
        story.Networks.LoseCarrier("a");
        story.Run(4000);
        Assert.True(Story.IsPrimary(story.A));
        Assert.Equal(LinkState.Joined, story.A.Status!.Link);
        Assert.Equal(0, story.Pair.Tally.Takeovers);
    }

    [Fact]
    public void A_standby_that_stops_as_planned_leaves_a_primary_that_goes_on_at_once()
    {
        using var story = new Story(s => s with { HasArbiter = false, OnPeerLoss = PeerLoss.Freeze });
        story.Pair.Operator.StopNode(story.B);
        story.Await("b stopped", () => !story.B.IsRunning);
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.PeerOutdated, Story.ProofOf(story.A));
        Assert.DoesNotContain(nameof(FailoverCase.PrimaryFreezes), story.Pair.Tally.Rows);
    }

    [Fact]
    public void A_daemon_killed_and_back_at_once_goes_on_as_Primary()
    {
        using var story = new Story(s => s);
        story.Kill(story.A);
        story.Run(100);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.A);
        Assert.Equal(0, story.Pair.Tally.Takeovers);
    }
}
