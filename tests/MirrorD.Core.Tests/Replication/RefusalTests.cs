using MirrorD.Core.Failover;
using MirrorD.Core.Tests.Failover;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>What a command would be answered, asked before anything is prepared for it.</summary>
public class RefusalTests
{
    [Fact]
    public void While_both_are_joined_only_the_primary_may_hand_over_and_only_switchover_moves_the_role()
    {
        ManualPair pair = ManualPair.Serving();

        Assert.Contains("is Primary", pair.B.Replica.RefusalOfPromotion(force: false)?.Message);
        Assert.Contains("is Primary", pair.B.Replica.RefusalOfPromotion(force: true)?.Message);
        Assert.Null(pair.B.Replica.RefusalOfRequest());
        Assert.Null(pair.A.Replica.RefusalOfPromotion(force: false));
        Assert.Null(pair.A.Replica.RefusalOfHandOver());
    }

    [Fact]
    public void Without_link_there_is_nobody_to_hand_over_to_and_a_promotion_is_worth_a_try()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();

        Assert.Contains("is not joined", pair.A.Replica.RefusalOfHandOver()?.Message);
        Assert.Null(pair.B.Replica.RefusalOfPromotion(force: false));
    }

    [Fact]
    public void A_primary_that_is_heard_on_another_network_is_not_replaced_without_force()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Cut(PathKind.Dedicated);

        // A path that has only not been called lost yet says nothing.
        Assert.Null(story.B.Replica.RefusalOfPromotion(force: false));
        story.Seconds(10);
        Assert.Contains("heard", story.B.Replica.RefusalOfPromotion(force: false)?.Message);
        Assert.Null(story.B.Replica.RefusalOfPromotion(force: true));
        Assert.Equal(Role.Standby, story.B.Replica.Role);
    }
}
