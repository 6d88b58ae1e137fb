using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Core.Tests.Failover;

/// <summary>Both networks are lost, there is no arbiter, and the policy of the Primary decides.</summary>
public class GatewayPolicyTests
{
    [Fact]
    public void With_a_gateway_that_answers_a_primary_goes_on()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.CutAll();
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Equal(ProofKind.PeerLossPolicy, story.A.Stored[0].Proof.Kind);
        Assert.Empty(Addresses(story.A));
    }

    [Fact]
    public void An_answer_is_as_old_as_its_question_and_one_to_an_earlier_question_counts_for_nothing()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        var questions = new List<long>();
        story.A.GatewayAsked = questions.Add;
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(3);
        story.A.Replica.GatewayAnswered(Assert.Single(questions), GatewayEvidence.Answers);
        story.Pair.Run();
        Assert.Null(held.Result);
        Assert.Equal(2, questions.Count);

        story.A.Replica.GatewayAnswered(questions[0], GatewayEvidence.Answers);
        story.Pair.Run();
        Assert.Null(held.Result);

        story.A.Replica.GatewayAnswered(questions[1], GatewayEvidence.Answers);
        story.Pair.Run();
        Assert.Equal(0, held.Result);
    }

    [Theory]
    [InlineData(GatewayEvidence.Silent)]
    [InlineData(GatewayEvidence.NoCarrier)]
    [InlineData(GatewayEvidence.NotConfigured)]
    public void Without_one_it_is_frozen_and_drops_the_addresses_once_until_it_has_joined(
        GatewayEvidence evidence)
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.Gateway[story.A] = evidence;
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(10);
        Assert.Null(held.Result);
        Assert.StartsWith("addresses False", Assert.Single(Addresses(story.A)), StringComparison.Ordinal);
        Assert.Equal("FrozenNoProof", story.A.Replica.DescribeHoldUp()?.Name);

        story.Gateway[story.A] = GatewayEvidence.Answers;
        story.Seconds(10);
        Assert.Null(held.Result);

        // A connection that does not get far says nothing about what the peer did meanwhile.
        story.Pair.Stop(story.B, "send");
        story.Pair.LinkUp();
        story.Pair.LinkDown();
        story.Pair.Go(story.B, "send");
        story.Seconds(10);
        Assert.Null(held.Result);
        Assert.Single(Addresses(story.A));

        story.HealAll();
        Assert.Equal(0, held.Result);
        Assert.StartsWith("addresses True", Addresses(story.A)[^1], StringComparison.Ordinal);
        Assert.Equal(2, Addresses(story.A).Length);
        story.CutAll();
        Assert.Equal(0, story.A.Write(1, 2).Result);
    }

    [Fact]
    public void An_isolated_primary_whose_peer_stores_outdated_serves_again()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.Gateway[story.A] = GatewayEvidence.Silent;
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(5);
        story.Heal(PathKind.Production);
        story.Tick(5);
        Assert.Equal(0, held.Result);
        Assert.Equal(ProofKind.PeerOutdated, story.A.Stored[0].Proof.Kind);
        Assert.StartsWith("addresses True", Addresses(story.A)[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_of_the_gateway_counts_only_while_it_is_fresh()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.Pair.Stop(story.A, "gateway");
        story.Seconds(2.2);
        Assert.Equal(1, story.Pair.Waiting(story.A, "gateway"));
        story.A.Replica.PathsChanged(story.Picture(story.A) with
        {
            Paths = [new PathSight("p", PathKind.Production, PathState.Unknown, 0)],
        });
        story.Pair.Complete(story.A, "gateway");
        Assert.False(story.A.Replica.HasProof);
        story.Gateway[story.A] = GatewayEvidence.Silent;
        story.Pair.Advance(10_000_000_000);
        story.A.Replica.PathsChanged(story.Picture(story.A) with
        {
            Paths = [new PathSight("p", PathKind.Production, PathState.Lost, 0)],
        });
        story.Pair.Go(story.A, "gateway");
        Assert.False(story.A.Replica.HasProof);
    }

    [Fact]
    public void With_freeze_requests_wait_and_the_addresses_stay()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(30);
        Assert.Null(held.Result);
        Assert.Empty(Addresses(story.A));
        Assert.Equal(0, story.A.GatewayQuestions);
        story.HealAll();
        Assert.Equal(0, held.Result);
    }

    [Fact]
    public void With_continue_it_goes_on_at_once()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Continue, autoswitch: false);
        story.Gateway[story.A] = GatewayEvidence.Silent;
        story.CutAll();
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Equal(0, story.A.GatewayQuestions);
    }

    [Theory]
    [InlineData(PeerLoss.Auto)]
    [InlineData(PeerLoss.Continue)]
    public void A_primary_that_heard_the_peer_as_primary_does_not_go_on_by_policy(PeerLoss policy)
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: policy);
        story.HoldsControl = true;
        story.Paused.Add(story.A);
        story.CutAll();
        story.Heal(PathKind.Production, story.B);
        story.A.Replica.PathsChanged(story.Picture(story.A) with
        {
            Paths =
            [
                new("d", PathKind.Dedicated, PathState.Lost, 0),
                new("p", PathKind.Production, PathState.Unknown, 0),
            ],
        });
        if (story.A.Replica.HasProof)
        {
            Assert.Fail("not before the networks are known to be lost");
        }

        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.Paused.Clear();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(10);
        Assert.Null(held.Result);
        Assert.Equal(FailoverCase.PrimaryPeerServes, story.A.Replica.LastFailover?.Case);
        story.CutAll();
        story.Seconds(10);
        Assert.Null(held.Result);
        story.HealAll();
        Assert.Equal(5, held.Result);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Fact]
    public void A_network_of_which_nothing_is_known_yet_is_not_lost()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Continue, autoswitch: false);
        story.A.Replica.PathsChanged(story.Picture(story.A) with
        {
            Paths =
            [
                new("d", PathKind.Dedicated, PathState.Lost, 0),
                new("p", PathKind.Production, PathState.Unknown, 0),
            ],
        });
        story.Pair.LinkDown();
        Assert.False(story.A.Replica.HasProof);
        Assert.Equal(FailoverCase.PrimaryWaitsForPaths, story.A.Replica.LastFailover?.Case);
    }

    private static string[] Addresses(ManualNode node) =>
        [.. node.Events.Where(e => e.StartsWith("addresses", StringComparison.Ordinal))];
}
