using MirrorD.Core.Failover;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Failover;

/// <summary>The production network is lost while the nodes are joined: who is better placed.</summary>
public class ProductionTests
{
    [Theory]
    [InlineData(GatewayEvidence.Silent)]
    [InlineData(GatewayEvidence.NoCarrier)]
    public void A_primary_without_production_hands_over_to_a_standby_that_has_it(GatewayEvidence atPrimary)
    {
        FailoverStory story = Lost(atPrimary, GatewayEvidence.Answers, followsProduction: true);
        story.Seconds(10);
        Assert.Equal(1, Count(story.A, "switchover "));
        Assert.Equal(0, Count(story.A, "production-lost"));
        Assert.Equal(0, Count(story.B, "switchover "));
    }

    [Fact]
    public void Or_only_says_so_once()
    {
        FailoverStory story = Lost(GatewayEvidence.Silent, GatewayEvidence.Answers, followsProduction: false);
        story.Seconds(10);
        Assert.Equal(0, Count(story.A, "switchover "));
        Assert.Equal(1, Count(story.A, "production-lost"));
    }

    [Theory]
    [InlineData(GatewayEvidence.Answers, GatewayEvidence.Answers)]
    [InlineData(GatewayEvidence.Silent, GatewayEvidence.Silent)]
    [InlineData(GatewayEvidence.Answers, GatewayEvidence.Silent)]
    [InlineData(GatewayEvidence.NotConfigured, GatewayEvidence.Answers)]
    [InlineData(GatewayEvidence.Silent, GatewayEvidence.NotConfigured)]
    public void It_stays_where_nothing_shows_that_the_standby_is_better_placed(
        GatewayEvidence atPrimary, GatewayEvidence atStandby)
    {
        FailoverStory story = Lost(atPrimary, atStandby, followsProduction: true);
        story.Seconds(10);
        Assert.Equal(0, Count(story.A, "switchover ") + Count(story.A, "production-lost"));
        Assert.Equal(Role.Primary, story.A.Replica.Role);
    }

    [Fact]
    public void A_switchover_that_could_not_begin_is_tried_again_and_told_once()
    {
        FailoverStory story = Lost(GatewayEvidence.Silent, GatewayEvidence.Answers, followsProduction: true);
        story.Seconds(5);
        Assert.Equal(1, Count(story.A, "switchover "));
        story.A.Replica.SwitchOverNotBegun();
        story.Seconds(5);
        Assert.Equal(2, Count(story.A, "switchover "));
        Assert.Equal(1, Count(story.A, "switchover-begun"));

        // An operator who brings the role back is obeyed.
        story.A.Replica.SwitchOverNotBegun();
        story.A.Replica.HandOver(story.A.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.Tick(2);
        story.B.Replica.HandOver(story.B.Answer);
        story.Pair.Run();
        story.Seconds(10);
        Assert.Equal(2, Count(story.A, "switchover "));
        Assert.Equal(Role.Primary, story.A.Replica.Role);
    }

    [Fact]
    public void With_the_network_back_it_is_told_anew_when_it_is_lost_again()
    {
        FailoverStory story = Lost(GatewayEvidence.Silent, GatewayEvidence.Answers, followsProduction: false);
        story.Seconds(10);
        story.Heal(PathKind.Production);
        story.Seconds(3);
        Assert.False(story.B.Replica.HasProduction);
        story.Cut(PathKind.Production);
        story.Seconds(10);
        Assert.Equal(2, Count(story.A, "production-lost"));
    }

    private static FailoverStory Lost(
        GatewayEvidence atPrimary, GatewayEvidence atStandby, bool followsProduction)
    {
        FailoverStory story = FailoverStory.Serving(
            adjust: settings => settings with { FollowsProduction = followsProduction });
        story.Gateway[story.A] = atPrimary;
        story.Gateway[story.B] = atStandby;
        story.Cut(PathKind.Production);
        return story;
    }

    private static int Count(ManualNode node, string kind) =>
        node.Events.Count(happened => happened.StartsWith(kind, StringComparison.Ordinal));
}
