using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests.Failover;

/// <summary>Rows of the contract's table in which an arbiter decides.</summary>
public class ArbiterTests
{
    [Fact]
    public void Parted_with_the_arbiter_in_reach_the_primary_goes_on_and_the_standby_is_refused()
    {
        using var story = new Story(s => s);
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.Cut(Networks.Production, "a", "b");
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.ArbiterGrant, Story.ProofOf(story.A));
        story.Await("b refused", () => Story.Stored(story.B).DiskState == DiskState.Outdated);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyNotUpToDate);
        story.Networks.MendAll();
        story.AwaitHealthy(story.A);
    }

    [Fact]
    public void An_isolated_primary_is_frozen_and_its_standby_takes_over()
    {
        using var story = new Story(s => s);
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.LoseCarrier("a");
        story.AwaitServing(story.B);
        Assert.Equal(ProofKind.ArbiterGrant, Story.ProofOf(story.B));
        Assert.Equal(FailoverCase.PrimaryAsksArbiter, story.A.Decision?.Case);
        Assert.Equal("b", story.Pair.Addresses.Neighbour);
        Assert.Equal(1, story.Pair.Tally.Takeovers);

        story.Networks.MendAll();
        story.AwaitHealthy(story.B);
        Assert.False(story.Pair.Addresses.Holds("a"));
    }

    [Fact]
    public void A_standby_does_not_begin_before_a_killed_daemon_had_dead_after_to_be_back()
    {
        using var story = new Story(s => s);
        story.Kill(story.A);
        Assert.False(story.Pair.RunUntil(
            () => story.B.Decision?.Action == FailoverAction.TakeOver,
            (Scenario.DeadAfterMs - (2 * Scenario.HeartbeatMs)) * Story.Millisecond), story.Trace);
        Assert.Equal(FailoverCase.StandbyWaits, story.B.Decision?.Case);
        story.AwaitServing(story.B);
    }

    [Fact]
    public void An_isolated_standby_stays_one()
    {
        using var story = new Story(s => s);
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.LoseCarrier("b");
        story.AwaitServing(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoCarrier);
    }

    [Fact]
    public void A_standby_whose_gateway_is_silent_does_not_claim()
    {
        using var story = new Story(s => s);
        story.Pair.Networks.GatewayIsDead = true;
        story.CutPower(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyHasNoGateway);
        story.Pair.Networks.GatewayIsDead = false;
        story.AwaitServing(story.B);
    }

    [Fact]
    public void An_arbiter_out_of_reach_freezes_both_until_it_is_back()
    {
        using var story = new Story(s => s);
        story.Pair.Arbiter.CutOff.UnionWith(["a", "b"]);
        story.Part(Networks.Gateway);
        story.AssertFrozen(story.A, FailoverCase.PrimaryAsksArbiter);
        Assert.False(Story.IsPrimary(story.B), story.Trace);
        story.Pair.Arbiter.CutOff.Clear();
        story.AwaitServing(story.A);
    }

    [Fact]
    public void A_claim_whose_answer_was_lost_is_granted_again()
    {
        using var story = new Story(s => s);
        story.Pair.Arbiter.AnswersLost.Add("a");
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.Cut(Networks.Production, "a", "b");
        story.AssertFrozen(story.A, FailoverCase.PrimaryAsksArbiter);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyNotUpToDate);
        story.Pair.Arbiter.AnswersLost.Clear();
        story.AwaitServing(story.A);
        Assert.Equal(ProofKind.ArbiterGrant, Story.ProofOf(story.A));
    }

    [Fact]
    public void The_primary_without_power_is_taken_over()
    {
        using var story = new Story(s => s);
        story.CutPower(story.A);
        story.AwaitServing(story.B);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.B);
    }

    [Fact]
    public void A_daemon_gone_from_a_living_host_is_taken_over_once_its_addresses_are_removed()
    {
        using var story = new Story(s => s);
        story.Kill(story.A);
        story.Await("the helper removed the address", () => !story.Pair.Addresses.Holds("a"));
        story.AwaitServing(story.B);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.B);
    }

    [Fact]
    public void Addresses_that_a_dead_daemon_left_hold_a_takeover_up_for_release_timeout_only()
    {
        using var story = new Story(s => s with { HasReleaseHelper = false });
        story.Kill(story.A);
        long killedAtNs = story.Pair.World.NowNs;
        story.Await("b is Primary", () => Story.IsPrimary(story.B));
        Assert.True(story.Pair.Addresses.Holds("a"));
        Assert.InRange(story.Pair.World.NowNs - killedAtNs,
            1000 * Story.Millisecond, 4000 * Story.Millisecond);
    }

    [Fact]
    public void A_primary_that_stood_still_serves_nothing_before_it_has_joined_again()
    {
        using var story = new Story(s => s);
        story.A.Pause(3000 * Story.Millisecond);
        story.Await("b is Primary", () => Story.IsPrimary(story.B), 3000);
        story.AwaitHealthy(story.B);
        Assert.False(story.Pair.Addresses.Holds("a"));
    }

    [Fact]
    public void A_primary_whose_loop_hangs_loses_its_addresses_and_its_role()
    {
        using var story = new Story(s => s);
        story.A.Stick(4000 * Story.Millisecond);
        story.Await("the address gone from a", () => !story.Pair.Addresses.Holds("a"), 1000);
        story.AwaitServing(story.B);
        Assert.True(story.A.IsStuck);
        story.AwaitHealthy(story.B);
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    public void One_direction_of_both_networks_lost_one_node_goes_on(string from, string to)
    {
        using var story = new Story(s => s);
        story.Networks.CutOneWay(Networks.Dedicated, from, to);
        story.Networks.CutOneWay(Networks.Production, from, to);
        story.Await("the link lost", () => story.A.Status!.Link == LinkState.Disconnected);
        story.AwaitServing(story.A);
        story.Networks.MendAll();
        story.AwaitHealthy(story.A);
    }

    [Fact]
    public void A_lone_boot_with_an_arbiter_claims_the_stored_session()
    {
        using var story = new Story(s => s);
        story.CutPower(story.A);
        story.CutPower(story.B);
        story.Run(1000);
        story.Pair.StartNode(story.B);
        story.AwaitServing(story.B);
        Assert.Equal(ProofKind.ArbiterGrant, Story.ProofOf(story.B));
    }

    [Fact]
    public void Without_autoswitch_nobody_takes_over()
    {
        using var story = new Story(s => s with { Autoswitch = false });
        story.CutPower(story.A);
        story.AssertNoTakeover(story.B, FailoverCase.StandbyAutoswitchOff);
    }

    [Fact]
    public void A_clock_that_jumps_takes_nothing_over()
    {
        using var story = new Story(s => s);
        story.B.JumpClock(10_000 * Story.Millisecond);
        story.Run(3000);
        story.AwaitHealthy(story.A);
        Assert.Equal(0, story.Pair.Tally.Takeovers);
    }
}
