using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Simulator.Tests.Failover;

/// <summary>A node that goes on alone is lost again and again while its peer stays away.</summary>
public class RepeatedPromotionTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_that_is_promoted_alone_again_and_again_keeps_one_generation_and_loses_nothing(bool cutsPower)
    {
        using var story = new Story(s => s);
        story.CutPower(story.A);
        story.AwaitServing(story.B);
        Superblock first = Story.Stored(story.B);
        for (int i = 0; i < 3; i++)
        {
            story.Run(300);
            story.Pair.NodeDies(story.B, cutsPower);
            story.Run(700);
            story.Pair.StartNode(story.B);
            story.AwaitServing(story.B);
            Superblock now = Story.Stored(story.B);
            Assert.Equal((first.Current, first.Bitmap, first.Session), (now.Current, now.Bitmap, now.Session));
            Assert.True(now.Promotions > first.Promotions, "each promotion is counted");
        }

        Assert.Equal(3, story.Pair.Tally.AloneAgain);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.B);
    }

    [Fact]
    public void The_old_primary_is_not_promoted_while_the_one_that_took_over_is_away()
    {
        using var story = new Story(s => s);
        story.CutPower(story.A);
        story.AwaitServing(story.B);
        story.CutPower(story.B);
        story.Pair.StartNode(story.A);
        Assert.False(story.Pair.RunUntil(() => Story.IsPrimary(story.A), 8000 * Story.Millisecond), story.Trace);
        story.Pair.StartNode(story.B);
        story.AwaitHealthy(story.B);
        Assert.Equal(ProofKind.None, Story.ProofOf(story.A));
    }
}
