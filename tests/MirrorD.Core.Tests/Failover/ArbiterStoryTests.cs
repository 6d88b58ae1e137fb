using MirrorD.Core.Failover;
using MirrorD.Core.Replication;
using MirrorD.Core.Tests.Replication;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

/// <summary>Both networks are lost and an arbiter decides (safety contract, section 5).</summary>
public class ArbiterStoryTests
{
    [Fact]
    public void The_primary_that_claims_first_goes_on_and_the_standby_stores_outdated()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.CutAll();
        Assert.Equal(0, story.A.Write(1, 1).Result);
        Assert.Empty(story.B.Claims);
        story.Seconds(5);
        Assert.NotEmpty(story.B.Takeovers);
        Assert.Equal(DiskState.Outdated, story.B.Stored[0].DiskState);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        Assert.Equal("OutdatedOnRequest", story.B.Replica.DescribeHoldUp()?.Name);
        Assert.Single(story.B.Events, e => e.StartsWith("outdated ", StringComparison.Ordinal));
        story.Kill(story.A);
        story.Seconds(60);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
    }

    [Fact]
    public void The_standby_that_claims_first_takes_over_and_the_primary_loses_its_right()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.A);
        ManualRequest held = story.A.Submit(Core.Volumes.VolumeOperation.Write, 1, 1);
        story.CutAll();
        story.Seconds(1);
        Assert.Empty(story.B.Claims);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(ProofKind.ArbiterGrant, story.B.Stored[0].Proof.Kind);
        Assert.Equal(0, story.B.Write(1, 2).Result);
        Assert.Null(held.Result);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal("FrozenNoArbiter", story.A.Replica.DescribeHoldUp()?.Name);
        story.WithoutArbiter.Clear();
        story.Seconds(2);
        Assert.Equal(5, held.Result);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.Equal(DiskState.Outdated, story.A.Stored[0].DiskState);
        story.HealAll();
        Assert.Equal(LinkPhase.Joined, story.A.Replica.Phase);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(2, story.A.Disk[1]);
    }

    [Fact]
    public void A_read_that_is_under_way_when_the_right_is_lost_fails()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.A);
        story.Pair.Stop(story.A, "read");
        ManualRequest read = story.A.Submit(Core.Volumes.VolumeOperation.Read, 1);
        story.CutAll();
        story.Seconds(6);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        story.WithoutArbiter.Clear();
        story.Seconds(2);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.Null(read.Result);
        story.Pair.Go(story.A, "read");
        Assert.Equal(5, read.Result);
    }

    [Fact]
    public void A_primary_whose_arbiter_is_away_is_frozen_and_granted_later()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.UnionWith(story.Nodes);
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Seconds(20);
        Assert.Null(held.Result);
        Assert.InRange(story.A.Claims.Count, 15, 25);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        story.WithoutArbiter.Remove(story.A);
        story.Seconds(2);
        Assert.Equal(0, held.Result);
        Assert.DoesNotContain(story.A.Events, e => e.StartsWith("addresses", StringComparison.Ordinal));
    }

    [Fact]
    public void An_operator_forces_what_an_automatic_takeover_waits_for()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.B);
        story.Kill(story.A);
        story.Seconds(10);
        Assert.NotEmpty(story.B.Claims);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        story.B.Replica.Promote(true, story.B.Answer);
        story.Seconds(1);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(ProofKind.OperatorOverride, story.B.Stored[0].Proof.Kind);
        Assert.Equal(0, story.B.Write(1, 1).Result);
    }

    [Fact]
    public void A_takeover_waits_for_an_arbiter_that_is_away()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.B);
        story.Kill(story.A);
        story.Seconds(20);
        Assert.Single(story.B.Takeovers);
        Assert.Empty(story.B.Answers);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        Assert.Equal(DiskState.UpToDate, story.B.Stored[0].DiskState);
        Assert.Contains("the arbiter can't be reached", story.B.Replica.DescribeHoldUp()?.Reason);
        story.WithoutArbiter.Clear();
        story.Seconds(2);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        Assert.Equal(0, story.B.Write(1, 1).Result);
    }

    [Fact]
    public void The_answer_to_a_claim_does_not_count_after_a_link_that_came_and_went()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.WithoutArbiter.Add(story.B);
        story.Pair.Stop(story.A, "claim");
        story.CutAll();
        Assert.Single(story.A.Claims);
        story.Pair.Stop(story.A, "send");
        story.HealAll();
        story.CutAll();
        story.Pair.Complete(story.A, "claim");
        Assert.Equal(ProofKind.None, story.A.Stored[0].Proof.Kind);
        Assert.Equal(2, story.A.Claims.Count);
        Assert.Equal(story.A.Claims[0], story.A.Claims[1]);
        story.Pair.Go(story.A, "claim");
        Assert.Equal(ProofKind.ArbiterGrant, story.A.Stored[0].Proof.Kind);
    }

    [Fact]
    public void Storing_outdated_cancels_the_claim_that_runs_and_its_grant_is_ignored()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.HoldsControl = true;
        story.Pair.Stop(story.B, "claim");
        story.WithoutArbiter.Add(story.A);
        story.CutAll();
        story.Seconds(4);
        SessionId session = Assert.Single(story.B.Claims);
        story.Deliver(story.B, Request(story.A));
        Assert.Equal(DiskState.Outdated, story.B.Stored[0].DiskState);
        Assert.False(story.B.Answers[^1].Succeeded);
        story.B.Replica.ArbiterAnswered(session, ClaimAnswer.Granted);
        story.Pair.Run();
        Assert.False(story.B.Replica.HasProof);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
        story.HoldsControl = false;
        story.Heal(PathKind.Production);
        story.Tick(5);
        Assert.Equal(0, story.A.Write(1, 1).Result);
    }

    [Fact]
    public void A_grant_that_is_being_stored_outlives_a_request_to_store_outdated()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.HoldsControl = true;
        story.WithoutArbiter.Add(story.A);
        story.Pair.Stop(story.B, "claim");
        story.CutAll();
        story.Seconds(4);
        story.Pair.Stop(story.B, "superblock");
        story.Pair.Complete(story.B, "claim");
        Assert.Equal(1, story.Pair.Waiting(story.B, "superblock"));
        story.Deliver(story.B, Request(story.A));
        Assert.DoesNotContain(story.B.Controls, m => m is ControlMessage.OutdateReply);
        story.Pair.Go(story.B, "superblock");
        Assert.Equal(Role.Primary, story.B.Replica.Role);
        OutdateAnswer answer = Assert.IsType<ControlMessage.OutdateReply>(story.B.Controls[^1]).Answer;
        Assert.True(answer is OutdateAnswer.HoldsProof or OutdateAnswer.IsPrimary, answer.ToString());
        story.HoldsControl = false;
        story.Heal(PathKind.Production);
        story.Tick(5);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
    }

    [Fact]
    public void A_grant_that_arrives_behind_the_store_of_outdated_changes_nothing()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.HoldsControl = true;
        story.WithoutArbiter.Add(story.A);
        story.Pair.Stop(story.B, "claim");
        story.CutAll();
        story.Seconds(4);
        story.Pair.Stop(story.B, "superblock");
        story.Deliver(story.B, Request(story.A));
        Assert.Equal(1, story.Pair.Waiting(story.B, "superblock"));
        story.Pair.Complete(story.B, "claim");
        story.Pair.Go(story.B, "superblock");
        Assert.Equal(DiskState.Outdated, story.B.Stored[0].DiskState);
        Assert.Equal(OutdateAnswer.Stored,
            Assert.IsType<ControlMessage.OutdateReply>(story.B.Controls[^1]).Answer);
        Assert.False(story.B.Replica.HasProof);
        Assert.Equal(Role.Standby, story.B.Replica.Role);
    }

    [Fact]
    public void A_grant_for_a_primary_that_was_demoted_meanwhile_binds_nobody()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.Pair.Stop(story.A, "claim");
        story.CutAll();
        Assert.Single(story.A.Claims);
        story.A.Replica.Demote(story.A.Answer);
        story.Pair.Run();
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        story.Pair.Go(story.A, "claim");
        Assert.False(story.A.Replica.HasProof);
        story.Heal(PathKind.Production);
        story.B.Replica.Promote(false, story.B.Answer);
        story.Tick(3);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void A_refusal_that_meets_a_new_connection_still_ends_the_right()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.Pair.Stop(story.A, "claim");
        story.CutAll();
        ManualRequest held = story.A.Write(1, 1);
        story.Pair.Stop(story.A, "superblock");
        story.A.Replica.ArbiterAnswered(story.A.Claims[0], ClaimAnswer.Refused);
        story.Pair.LinkUp();
        story.Pair.LinkDown(run: false);
        story.Pair.Go(story.A, "superblock");
        Assert.Equal(DiskState.Outdated, story.A.Stored[0].DiskState);
        Assert.Equal(Role.Standby, story.A.Replica.Role);
        Assert.Equal(5, held.Result);
    }

    [Fact]
    public void A_restarted_standby_with_its_session_takes_over_through_the_arbiter()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Kill(story.A);
        story.Kill(story.B);
        story.Start(story.B);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void A_primary_that_was_granted_the_session_serves_again_after_its_own_restart()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.CutAll();
        Assert.Equal(0, story.A.Write(1, 1).Result);
        story.Kill(story.A);
        story.Start(story.A);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.A.Replica.Role);
        Assert.Equal(0, story.A.Write(1, 2).Result);
    }

    [Fact]
    public void A_silent_gateway_keeps_a_standby_from_claiming()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Gateway[story.B] = GatewayEvidence.Silent;
        story.Kill(story.A);
        story.Seconds(20);
        Assert.Empty(story.B.Takeovers);
        Assert.Empty(story.B.Claims);
        story.Gateway[story.B] = GatewayEvidence.Answers;
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void With_an_arbiter_a_node_without_gateway_may_take_over()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true);
        story.Gateway[story.B] = GatewayEvidence.NotConfigured;
        story.Kill(story.A);
        story.Seconds(5);
        Assert.Equal(Role.Primary, story.B.Replica.Role);
    }

    [Fact]
    public void Without_autoswitch_nobody_takes_over()
    {
        FailoverStory story = FailoverStory.Serving(hasArbiter: true, autoswitch: false);
        story.Kill(story.A);
        story.Seconds(30);
        Assert.Empty(story.B.Takeovers);
        Assert.Equal(FailoverCase.StandbyAutoswitchOff, story.B.Replica.LastFailover?.Case);
    }

    private static ControlMessage.OutdateRequest Request(ManualNode primary) => new(
        primary.Replica.State.Session, primary.Replica.State.Current, primary.Replica.State.Bitmap,
        primary.Replica.State.History, 7);
}
