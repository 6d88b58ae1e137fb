using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// A Primary that lost the link asks the peer, over another network, to store Outdated (safety contract,
/// section 5).
/// </summary>
public class OutdateTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_primary_that_loses_only_the_dedicated_network_goes_on_with_the_peers_outdated(
        bool hasArbiter)
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter);
        story.Cut(PathKind.Dedicated);
        ManualRequest write = story.A.Write(1, 1);
        Assert.Null(write.Result);
        Assert.Equal("FrozenNoProof", story.A.Replica.DescribeHoldUp()?.Name);
        story.Tick(3);
        Assert.Equal(0, write.Result);
        Assert.Equal(DiskState.Outdated, story.B.Stored[0].DiskState);
        Assert.Equal(ProofKind.PeerOutdated, story.A.Stored[0].Proof.Kind);
        Assert.Empty(story.A.Claims);
        Assert.DoesNotContain(story.A.Events, e => e.StartsWith("addresses", StringComparison.Ordinal));

        story.Kill(story.A);
        story.Seconds(60);
        Assert.Empty(story.B.Takeovers);
        Assert.Empty(story.B.Claims);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        Assert.Equal("OutdatedOnRequest", story.B.Replica.DescribeHoldUp()?.Name);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Seconds(5);
        Assert.False(story.B.Answers[^1].Succeeded);
    }

    [Fact]
    public void A_lost_production_network_changes_nothing()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Cut(PathKind.Production);
        story.Seconds(30);
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Empty(story.A.Claims);
        Assert.Empty(story.B.Claims);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(DiskState.UpToDate, story.B.Stored[0].DiskState);
    }

    [Fact]
    public void A_reply_to_the_question_of_an_earlier_loss_is_ignored()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.Tick(2);
        var first = Assert.IsType<ControlMessage.OutdateRequest>(story.A.Controls[^1]);
        story.HealAll();
        story.Tick(2);
        story.Cut(PathKind.Dedicated);
        SessionId session = story.A.Replica.State.Session;
        Assert.NotEqual(session, first.Session);
        story.Deliver(story.A,
            new ControlMessage.OutdateReply(first.Session, first.Nonce, OutdateAnswer.Stored));
        story.Deliver(story.A, new ControlMessage.OutdateReply(session, first.Nonce, OutdateAnswer.Stored));
        Assert.False(story.A.Replica.HasProof);
        var second = Assert.IsType<ControlMessage.OutdateRequest>(story.A.Controls[^1]);
        Assert.NotEqual(first.Nonce, second.Nonce);
        story.Deliver(story.A,
            new ControlMessage.OutdateReply(first.Session, second.Nonce, OutdateAnswer.Stored));
        Assert.False(story.A.Replica.HasProof);
        story.Deliver(story.A, new ControlMessage.OutdateReply(session, second.Nonce, OutdateAnswer.Stored));
        Assert.True(story.A.Replica.HasProof);
    }

    [Fact]
    public void A_reply_that_meets_a_new_connection_is_ignored()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        var asked = (ControlMessage.OutdateRequest)story.A.Controls[^1];
        story.Pair.Stop(story.B, "send");
        story.Pair.LinkUp();
        story.Deliver(story.A,
            new ControlMessage.OutdateReply(asked.Session, asked.Nonce, OutdateAnswer.Stored));
        story.Pair.LinkDown();
        story.Pair.Go(story.B, "send");
        story.Deliver(story.A,
            new ControlMessage.OutdateReply(asked.Session, asked.Nonce, OutdateAnswer.Stored));
        Assert.False(story.A.Replica.HasProof);
    }

    [Fact]
    public void A_request_that_is_repeated_is_answered_again_and_stored_once()
    {
        FailoverStory story = FailoverStory.Serving();
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        ControlMessage request = story.A.Controls[^1];
        story.Deliver(story.B, request);
        ulong sequence = story.B.Stored[0].Sequence;
        story.Deliver(story.B, request);
        var replies = story.B.Controls.OfType<ControlMessage.OutdateReply>();
        Assert.Equal(2, replies.Count(reply => reply.Answer == OutdateAnswer.Stored));
        Assert.Equal(sequence, story.B.Stored[0].Sequence);
        Assert.Single(story.B.Events, e => e.StartsWith("outdated", StringComparison.Ordinal));
    }

    [Fact]
    public void The_answer_follows_the_store()
    {
        FailoverStory story = FailoverStory.Serving();
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.Pair.Stop(story.B, "superblock");
        story.Deliver(story.B, story.A.Controls[^1]);
        Assert.Empty(story.B.Controls);
        story.Deliver(story.B, story.A.Controls[^1]);
        Assert.Empty(story.B.Controls);
        story.Pair.Go(story.B, "superblock");
        Assert.All(story.B.Controls,
            m => Assert.Equal(OutdateAnswer.Stored, ((ControlMessage.OutdateReply)m).Answer));
        Assert.NotEmpty(story.B.Controls);
    }

    [Fact]
    public void A_connected_peer_is_asked_again_and_is_not_mute()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Continue);
        story.HoldsControl = true;
        story.Pair.DropSends();
        story.A.IsConnected = false;
        story.A.Replica.LinkLost("cut");
        story.Pair.Run();
        for (int second = 0; second < 10; second++)
        {
            story.Seconds(1);
            story.Deliver(story.B, story.A.Controls[^1]);
            ControlMessage reply = story.B.Controls[^1];
            Assert.Equal(OutdateAnswer.Connected, ((ControlMessage.OutdateReply)reply).Answer);
            story.Deliver(story.A, reply);
        }

        Assert.False(story.A.Replica.HasProof);
        Assert.Equal(FailoverCase.PrimaryAsksPeer, story.A.Replica.LastFailover?.Case);
        story.B.IsConnected = false;
        story.B.Replica.LinkLost("cut");
        story.HoldsControl = false;
        story.Tick(5);
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Equal(ProofKind.PeerOutdated, story.A.Stored[0].Proof.Kind);
    }

    [Fact]
    public void A_primary_that_is_answered_by_a_primary_loses_its_right()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Gateway[story.A] = GatewayEvidence.Silent;
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Null(held.Result);
        story.Heal(PathKind.Production);
        story.Tick(3);
        Assert.Equal(5, held.Result);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.True(story.A.Stored[0].WasPrimary);
        int role = story.A.Events.FindIndex(e => e.StartsWith("role Standby", StringComparison.Ordinal));
        int lost = story.A.Events.FindIndex(e => e.StartsWith("role-lost", StringComparison.Ordinal));
        Assert.True(role >= 0 && role < lost, "the host hears first that the role is gone");
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(0, story.B.Write(1, 2).Result);
        story.Seconds(30);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Fact]
    public void Each_reason_to_refuse_is_told()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        story.HoldsControl = true;
        SessionId session = story.A.Replica.State.Session;
        Generation current = story.A.Replica.State.Current;
        var other = new Generation(77);
        Assert.Equal(OutdateAnswer.IsPrimary, Ask(story, story.A, session, current));
        Assert.Equal(OutdateAnswer.Connected, Ask(story, story.B, session, current));
        story.CutAll();
        Assert.Equal(OutdateAnswer.OtherGeneration, Ask(story, story.B, session, other));
        Assert.Equal(OutdateAnswer.OtherSession, Ask(story, story.B, new SessionId(99), current));
        Assert.Equal(DiskState.UpToDate, story.B.Stored[0].DiskState);

        // Its generation may also be the asker's bitmap generation or an older one.
        Assert.Equal(OutdateAnswer.Stored, Ask(story, story.B, session, other, bitmap: current));
        Assert.Equal(OutdateAnswer.Stored, Ask(story, story.B, session, other, history: [other, current]));
        Assert.Equal(DiskState.Outdated, story.B.Stored[0].DiskState);

        // A copy that is not UpToDate may be of another session.
        Assert.Equal(OutdateAnswer.Stored, Ask(story, story.B, new SessionId(99), current));
        Assert.Equal(OutdateAnswer.OtherGeneration, Ask(story, story.B, session, other));
    }

    [Fact]
    public void A_holder_of_a_proof_refuses()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.HoldsControl = true;
        story.CutAll();
        Assert.True(story.A.Replica.HasProof);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.Equal(OutdateAnswer.HoldsProof,
            Ask(story, story.A, story.A.Replica.State.Session, story.A.Replica.State.Current));
    }

    [Theory]
    [InlineData(OutdateAnswer.IsPrimary)]
    [InlineData(OutdateAnswer.HoldsProof)]
    [InlineData(OutdateAnswer.OtherGeneration)]
    public void A_refusal_by_role_proof_or_generation_ends_the_right(OutdateAnswer answer)
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Continue);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        ManualRequest held = story.A.Write(1, 1);
        Reply(story, answer);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.Equal(5, held.Result);
    }

    [Theory]
    [InlineData(OutdateAnswer.OtherSession)]
    [InlineData(OutdateAnswer.Unable)]
    [InlineData(OutdateAnswer.Connected)]
    public void Another_answer_leaves_the_primary_frozen(OutdateAnswer answer)
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        ManualRequest held = story.A.Write(1, 1);
        Reply(story, answer);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Null(held.Result);
        Reply(story, OutdateAnswer.Stored);
        Assert.Equal(0, held.Result);
    }

    [Fact]
    public void A_mute_peer_counts_as_lost_and_the_arbiter_decides()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(1.5);
        Assert.Empty(story.A.Claims);
        Assert.Null(held.Result);
        story.Seconds(1);
        Assert.Single(story.A.Claims);
        Assert.Equal(0, held.Result);
    }

    [Fact]
    public void A_late_answer_of_a_mute_peer_counts_while_the_arbiter_is_away()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.WithoutArbiter.Add(story.A);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(10);
        Assert.Null(held.Result);
        Assert.Equal("FrozenNoArbiter", story.A.Replica.DescribeHoldUp()?.Name);
        Reply(story, OutdateAnswer.Stored);
        Assert.Equal(0, held.Result);
    }

    [Fact]
    public void A_peer_that_is_heard_but_does_not_seem_to_hear_is_asked_before_a_policy_counts()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Continue, autoswitch: false);
        story.HoldsControl = true;
        story.Cut(PathKind.Production, story.A);
        story.Cut(PathKind.Dedicated);
        Assert.False(story.A.Replica.HasProof);
        Assert.IsType<ControlMessage.OutdateRequest>(story.A.Controls[^1]);
        story.Seconds(1);
        Assert.False(story.A.Replica.HasProof);
        story.Seconds(1.5);
        Assert.True(story.A.Replica.HasProof);
    }

    [Fact]
    public void An_operator_promotes_a_standby_with_the_outdated_of_another_standby()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        story.Cut(PathKind.Dedicated);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Tick(3);
        Assert.True(story.B.Answers[^1].Succeeded);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(DiskState.Outdated, story.A.Stored[0].DiskState);
    }

    [Fact]
    public void An_operators_promotion_does_not_outdate_a_primary()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze, autoswitch: false);
        story.Pair.Stop(story.A, "superblock");
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Tick(1);
        ControlMessage request = story.B.Controls.Last(m => m is ControlMessage.OutdateRequest);
        story.Deliver(story.A, request);
        story.Deliver(story.B, story.A.Controls[^1]);
        Assert.Equal(OutdateAnswer.IsPrimary, ((ControlMessage.OutdateReply)story.A.Controls[^1]).Answer);
        Assert.False(story.B.Answers[^1].Succeeded);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
    }

    [Fact]
    public void A_promotion_that_met_a_mute_peer_asks_anew_when_it_is_repeated()
    {
        FailoverStory story = FailoverStory.Serving(autoswitch: false);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Seconds(3);
        Assert.False(Assert.Single(story.B.Answers).Succeeded);
        story.HoldsControl = false;
        story.B.Replica.Promote(false, story.B.Answer);
        story.Tick(3);
        Assert.True(story.B.Answers[^1].Succeeded);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    private static OutdateAnswer Ask(
        FailoverStory story, ManualNode node, SessionId session, Generation current,
        Generation bitmap = default,
        Generation[]? history = null)
    {
        story.Deliver(node, new ControlMessage.OutdateRequest(session, current, bitmap, history ?? [], 5));
        return Assert.IsType<ControlMessage.OutdateReply>(node.Controls[^1]).Answer;
    }

    private static void Reply(FailoverStory story, OutdateAnswer answer)
    {
        var asked = (ControlMessage.OutdateRequest)story.A.Controls[^1];
        story.Deliver(story.A, new ControlMessage.OutdateReply(asked.Session, asked.Nonce, answer));
    }
}
