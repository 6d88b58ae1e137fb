using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// When a Standby takes over by itself, and when it must not (safety contract, sections 5 and 6).
/// </summary>
public class StandbyTakeoverTests
{
    [Fact]
    public void Without_arbiter_an_eligible_standby_whose_gateway_answers_takes_over_a_dead_primary()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Kill(story.A);
        story.Seconds(1);
        Assert.Empty(story.B.Takeovers);
        story.Seconds(1);
        Assert.Equal("no network to it is left", Assert.Single(story.B.Takeovers));
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(ProofKind.PeerLossPolicy, story.B.Stored[0].Proof.Kind);
        Assert.Equal(0, story.B.Write(1, 1).Result);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_daemon_that_ended_has_until_dead_after_to_be_back_however_soon_its_host_refuses(
        bool hasArbiter)
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter);
        story.KillOnLivingHost(story.A);
        story.Seconds(2.9);
        Assert.Empty(story.B.Takeovers);
        Assert.Empty(story.B.Claims);
        Assert.Equal(FailoverCase.StandbyWaits, story.B.Replica.LastFailover?.Case);
        Assert.Equal("the mirrord of n1 may be back in time", story.B.Replica.WhyNotTakeOver());
        story.Seconds(0.3);
        Assert.Equal("its host answers, but its mirrord is gone", Assert.Single(story.B.Takeovers));
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void A_primary_whose_daemon_is_back_within_dead_after_serves_again()
    {
        FailoverStory story = FailoverStory.Serving();
        story.KillOnLivingHost(story.A);
        story.Seconds(2.5);
        story.Start(story.A);
        story.HealAll();
        story.Tick(2);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(0, story.A.Write(1, 1).Result);
    }

    [Theory]
    [InlineData(GatewayEvidence.Silent, FailoverCase.StandbyHasNoGateway)]
    [InlineData(GatewayEvidence.NoCarrier, FailoverCase.StandbyHasNoCarrier)]
    [InlineData(GatewayEvidence.NotConfigured, FailoverCase.StandbyHasNoGateway)]
    public void Without_arbiter_a_standby_without_gateway_does_not(
        GatewayEvidence evidence, FailoverCase reason)
    {
        FailoverStory story = FailoverStory.Serving();
        story.Gateway[story.B] = evidence;
        story.Kill(story.A);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(reason, story.B.Replica.LastFailover?.Case);
        Assert.InRange(story.B.GatewayQuestions, 10, 40);
    }

    [Fact]
    public void Without_arbiter_a_restarted_standby_does_not()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Kill(story.A);
        story.Kill(story.B);
        story.Start(story.B);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(FailoverCase.StandbyNotEligible, story.B.Replica.LastFailover?.Case);
        Assert.Equal("LoneBoot", story.B.Replica.DescribeHoldUp()?.Name);
    }

    [Fact]
    public void Without_arbiter_both_networks_must_have_been_up_while_joined()
    {
        var story = new FailoverStory();
        story.Cut(PathKind.Production);
        story.Pair.LinkUp();
        story.A.Replica.Promote(false, story.A.Answer);
        story.Seconds(3);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        story.Kill(story.A);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(FailoverCase.StandbyNotEligible, story.B.Replica.LastFailover?.Case);
    }

    [Fact]
    public void Networks_that_were_up_only_before_the_join_do_not_count()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.CutAll();
        story.Heal(PathKind.Production);
        story.Heal(PathKind.Dedicated);
        story.Pair.Stop(story.A, "superblock");
        story.Pair.LinkUp();
        story.Show();
        story.Cut(PathKind.Production);
        story.Pair.Go(story.A, "superblock");
        Assert.Equal(LinkPhase.Joined, story.B.Replica.Phase);
        story.Kill(story.A);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(FailoverCase.StandbyNotEligible, story.B.Replica.LastFailover?.Case);
    }

    [Fact]
    public void A_handshake_ends_the_eligibility()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.CutAll();
        story.Pair.Stop(story.A, "send");
        story.Pair.LinkUp();
        story.Pair.LinkDown(run: false);
        story.Pair.Go(story.A, "send");
        story.Kill(story.A);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
    }

    [Fact]
    public void A_frozen_primary_that_an_operator_demoted_does_not_take_over_from_its_successor()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.HoldsControl = true;
        story.CutAll();
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        story.Heal(PathKind.Production);
        story.Tick();
        story.CutAll();
        story.Seconds(30);
        Assert.Empty(story.A.Takeovers);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.Equal(FailoverCase.StandbyNotEligible, story.A.Replica.LastFailover?.Case);
    }

    [Fact]
    public void A_peer_that_was_standby_is_not_taken_over()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        story.Kill(story.A);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(FailoverCase.StandbyNobodyServed, story.B.Replica.LastFailover?.Case);
    }

    [Fact]
    public void A_primary_that_says_over_the_link_alone_that_it_is_none_any_more_is_not_taken_over()
    {
        FailoverStory story = FailoverStory.Serving();
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();

        // What else of the report changes is no news of the role.
        story.Reported = (node, report) =>
            node == story.A ? report with { Role = Role.Primary, HasProduction = true } : report;
        LosePathsOneByOne(story);
        Assert.Empty(story.B.Takeovers);
    }

    [Fact]
    public void A_primary_whose_heartbeats_did_not_tell_so_yet_is_taken_over()
    {
        var story = new FailoverStory();
        story.Show();
        story.Pair.LinkUp();
        story.Show();
        ulong promotions = story.A.Replica.State.Promotions;
        story.Reported = (node, report) =>
            node == story.A ? report with { Role = Role.Standby, Promotions = promotions } : report;
        story.B.Replica.HandOver(story.B.Answer);
        story.Pair.Run();
        story.A.Replica.Promote(false, story.A.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        LosePathsOneByOne(story);
        Assert.NotEmpty(story.B.Takeovers);
    }

    [Theory]
    [InlineData(Role.Standby, Role.Primary)]
    [InlineData(Role.Primary, Role.Standby)]
    public void Heartbeats_that_tell_another_role_than_before_count_also_when_they_came_before_the_loss_was_noticed(
        Role last, Role heard)
    {
        FailoverStory story = FailoverStory.Serving();
        if (last == Role.Standby)
        {
            story.A.Replica.Demote(story.A.Answer);
            story.Pair.Run();
            story.Tick();
        }

        // The link carries nothing any more, which is not noticed yet.
        story.Reported = (node, report) =>
            node == story.A ? report with { Role = heard, Promotions = report.Promotions + 1 } : report;
        story.Tick();
        LosePathsOneByOne(story);
        Assert.Equal(heard == Role.Primary, story.B.Takeovers.Count > 0);
    }

    // Nobody can be asked, and nothing new is told.
    private static void LosePathsOneByOne(FailoverStory story)
    {
        story.HoldsControl = true;
        story.Show();
        story.Cut(PathKind.Dedicated);
        story.Tick();
        story.Kill(story.A);
        story.Seconds(30);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void While_a_primary_is_heard_and_moves_nobody_takes_over(bool hasArbiter)
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter);
        story.HoldsControl = true;
        story.WithoutArbiter.Add(story.A);
        story.Gateway[story.A] = GatewayEvidence.Silent;
        story.Cut(PathKind.Production, story.B);
        story.Cut(PathKind.Dedicated);
        story.Seconds(60);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Empty(story.B.Takeovers);
        Assert.Empty(story.B.Claims);
        Assert.Equal(FailoverCase.StandbyPeerLives, story.B.Replica.LastFailover?.Case);
    }

    [Theory]
    [InlineData(true, DiskState.UpToDate, "its resource does not move")]
    [InlineData(false, DiskState.Failed, "its disk has failed")]
    public void A_primary_that_does_not_move_is_taken_over_with_an_arbiter(
        bool isStuck, DiskState diskState, string reason)
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Reported = (node, report) =>
            node == story.A ? report with { IsStuck = isStuck, DiskState = diskState } : report;
        story.HoldsControl = true;
        story.WithoutArbiter.Add(story.A);
        story.Cut(PathKind.Dedicated);
        story.Seconds(10);
        Assert.Equal(reason, Assert.Single(story.B.Takeovers));
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(ProofKind.ArbiterGrant, story.B.Stored[0].Proof.Kind);
    }

    [Fact]
    public void A_takeover_ends_when_the_peer_is_heard_again_before_the_claim()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.B);
        story.Paused.Add(story.A);
        story.CutAll();
        story.Seconds(5);
        Assert.Single(story.B.Takeovers);
        Assert.Empty(story.B.Answers);
        story.Paused.Clear();
        story.WithoutArbiter.Clear();
        int claims = story.B.Claims.Count;
        story.HoldsControl = true;
        story.Heal(PathKind.Production, story.A);
        Assert.False(Assert.Single(story.B.Answers).Succeeded);
        story.Seconds(20);
        Assert.Equal(claims, story.B.Claims.Count);
        Assert.Single(story.B.Takeovers);
    }

    [Fact]
    public void Steps_that_reach_the_claim_after_the_peer_was_heard_again_do_not_claim()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.A);
        story.Pair.Stop(story.B, "takeover");
        story.CutAll();
        story.Seconds(5);
        Assert.Single(story.B.Takeovers);
        story.HoldsControl = true;
        story.Heal(PathKind.Production, story.A);
        story.Pair.Go(story.B, "takeover");
        Assert.Empty(story.B.Claims);
        Assert.False(Assert.Single(story.B.Answers).Succeeded);
    }

    [Fact]
    public void A_takeover_that_fails_is_tried_again_after_five_seconds()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Pair.Stop(story.B, "takeover");
        story.Kill(story.A);
        story.Seconds(10);
        Assert.Single(story.B.Takeovers);
        story.B.Replica.TakeoverEnded();
        story.Seconds(4.5);
        Assert.Single(story.B.Takeovers);
        story.Seconds(1);
        Assert.Equal(2, story.B.Takeovers.Count);
    }

    [Fact]
    public void Evidence_of_the_gateway_stays_fresh_while_the_steps_are_under_way()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Pair.Stop(story.B, "takeover");
        story.Kill(story.A);
        story.Seconds(12);
        story.Pair.Go(story.B, "takeover");
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void A_gateway_that_falls_silent_during_the_steps_ends_them()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Pair.Stop(story.B, "takeover");
        story.Kill(story.A);
        story.Seconds(3);
        Assert.Single(story.B.Takeovers);
        story.Gateway[story.B] = GatewayEvidence.Silent;
        story.Seconds(3);
        story.Pair.Go(story.B, "takeover");
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        Assert.False(Assert.Single(story.B.Answers).Succeeded);
    }

    [Fact]
    public void The_takeover_delay_is_waited_from_the_loss_of_the_last_network()
    {
        FailoverStory story = FailoverStory.Serving(
            hasArbiter: true, adjust: s => s with { TakeoverDelayNs = 10_000_000_000 });
        story.WithoutArbiter.Add(story.A);
        story.HoldsControl = true;
        story.Cut(PathKind.Dedicated);
        story.Seconds(20);
        story.Cut(PathKind.Production);
        story.Seconds(9.5);
        Assert.Empty(story.B.Takeovers);
        story.Seconds(1);
        Assert.Single(story.B.Takeovers);
    }

    [Fact]
    public void A_standby_that_stood_still_waits_for_what_the_watch_finds_now()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Cut(PathKind.Dedicated);
        story.HoldsControl = true;
        story.Pair.Stop(story.B, "gateway");
        story.Gateway[story.A] = GatewayEvidence.Silent;
        story.CutAll();
        story.Tick(2);
        story.Paused.Add(story.B);
        story.Seconds(10);
        story.Pair.Go(story.B, "gateway");
        Assert.Empty(story.B.Takeovers);
        story.Paused.Clear();
        story.B.Replica.Tick();
        story.Pair.Run();
        Assert.Empty(story.B.Takeovers);
        story.Heal(PathKind.Production);
        story.Seconds(10);
        Assert.Empty(story.B.Takeovers);
    }

    [Fact]
    public void A_lone_boot_stays_standby_and_says_what_it_waits_for()
    {
        FailoverStory story = FailoverStory.Serving();
        story.Kill(story.A);
        story.Kill(story.B);
        story.Start(story.A);
        story.Seconds(60);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        NamedState? why = story.A.Replica.DescribeHoldUp();
        Assert.Equal("LoneBoot", why?.Name);
        Assert.Contains("--force", why?.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_goodbye_lets_the_primary_go_on_at_once_however_often_it_arrives()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.Pair.Stop(story.B, "send");
        story.B.Replica.Stop(story.B.Answer);
        story.Pair.Run();
        var goodbye = Assert.IsType<ControlMessage.Goodbye>(story.B.Controls[^1]);
        Assert.True(goodbye.IsOutdated);
        story.HoldsControl = true;
        story.CutAll();
        story.Dead.Add(story.B);
        story.Deliver(story.A, goodbye);
        story.Deliver(story.A, goodbye);
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Equal(ProofKind.PeerOutdated, story.A.Stored[0].Proof.Kind);
        Assert.Single(story.A.Events, e => e.StartsWith("peer-goodbye", StringComparison.Ordinal));
    }

    [Fact]
    public void A_goodbye_of_an_earlier_session_or_of_an_unknown_generation_is_no_proof()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        SessionId earlier = story.A.Replica.State.Session;
        story.CutAll();
        story.HealAll();
        story.CutAll();
        Generation current = story.A.Replica.State.Current;
        story.Deliver(story.A, new ControlMessage.Goodbye(true, earlier, current));
        story.Deliver(story.A,
            new ControlMessage.Goodbye(true, story.A.Replica.State.Session, new Generation(77)));
        story.Deliver(story.A, new ControlMessage.Goodbye(false, story.A.Replica.State.Session, current));
        story.Seconds(2);
        Assert.False(story.A.Replica.HasProof);
        story.Deliver(story.A, new ControlMessage.Goodbye(true, story.A.Replica.State.Session, current));
        Assert.True(story.A.Replica.HasProof);
    }

    [Fact]
    public void A_goodbye_that_arrives_after_the_next_join_is_no_proof()
    {
        FailoverStory story = FailoverStory.Serving(onPeerLoss: PeerLoss.Freeze);
        story.B.Replica.Stop(story.B.Answer);
        story.Pair.Run();
        ControlMessage goodbye = story.B.Controls[^1];
        story.Start(story.B);
        story.HealAll();
        Assert.Equal(LinkPhase.Joined, story.A.Replica.Phase);
        story.HoldsControl = true;
        story.Deliver(story.A, goodbye);
        story.CutAll();
        story.Deliver(story.A, goodbye);
        story.Seconds(2);
        Assert.False(story.A.Replica.HasProof);
    }
}
