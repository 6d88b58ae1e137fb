using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Takeover;

/// <summary>Takeover without an operator: everything that can stop it comes before the claim.</summary>
public class TakeoverSequenceTests
{
    private const string OtherHolder = "192.0.2.7 is held by 02:00:00:00:00:01";

    private static readonly string[] s_aboveTheRole =
        ["exports open", "addresses added", "post-acquire as Primary", "event takeover"];

    private readonly FakeResource _resource = new();

    [Fact]
    public void A_takeover_probes_before_it_claims_and_is_told_once_with_its_phases()
    {
        Assert.True(_resource.TakeOver().Succeeded);

        Assert.Equal(["pre-acquire as Standby", "Promote automatically", .. s_aboveTheRole], _resource.Steps);
        Assert.Equal(1, _resource.Probes);
        RoleRecord record = Assert.Single(_resource.Records);
        Assert.Equal((RoleRecordKind.Takeover, true, "b is lost"), (record.Kind, record.Succeeded, record.Reason));
        Assert.Equal(
            ["detect", "pre-acquire", "probe", "promote", "exports", "addresses", "post-acquire"],
            record.Phases.Select(phase => phase.Name));
        RolePhase probe = record.Phases[2];
        Assert.InRange(probe.TookNs, FakeResource.SecondNs / 5, FakeResource.SecondNs);
        Assert.Equal(probe.StartNs + probe.TookNs, record.Phases[3].StartNs);
    }

    [Fact]
    public void A_veto_at_the_beginning_does_nothing_and_tells_nothing()
    {
        Assert.Equal("the peer is heard", _resource.TakeOver(() => "the peer is heard").Message);
        Assert.Empty(_resource.Steps);
    }

    [Fact]
    public void A_veto_that_comes_up_during_the_probe_stops_before_the_claim_and_undoes_the_hooks()
    {
        CommandOutcome outcome = _resource.TakeOver(() => _resource.Probes > 0 ? "the peer is heard again" : null);

        Assert.Equal((false, "the peer is heard again"), (outcome.Succeeded, outcome.Message));
        Assert.Equal(
            ["pre-acquire as Standby", "post-release as Standby", "event takeover-vetoed"], _resource.Steps);
        Assert.Contains("the peer is heard again", Assert.Single(_resource.Messages));
    }

    [Fact]
    public void A_failing_pre_acquire_hook_vetoes_and_changes_nothing()
    {
        _resource.FailingHooks.Add(HookStep.PreAcquire);

        Assert.False(_resource.TakeOver().Succeeded);
        Assert.Equal(["pre-acquire as Standby", "event takeover-vetoed"], _resource.Steps);
        Assert.False(Assert.Single(_resource.Records).Succeeded);
    }

    [Fact]
    public void Without_arbiter_an_address_that_somebody_keeps_blocks_the_takeover_before_the_claim()
    {
        _resource.Holder = () => OtherHolder;

        CommandOutcome outcome = _resource.TakeOver();

        Assert.False(outcome.Succeeded);
        Assert.Equal(
            ["pre-acquire as Standby", "post-release as Standby", "event takeover-blocked"], _resource.Steps);
        string message = Assert.Single(_resource.Messages);
        Assert.Contains(OtherHolder, message);
        Assert.Contains("mirrorctl promote mail --force", message);
        // It was asked for again each second of release-timeout, which is 3 s.
        Assert.InRange(_resource.Probes, 3, 4);
        Assert.InRange(_resource.World.NowNs, 3 * FakeResource.SecondNs, 5 * FakeResource.SecondNs);
    }

    [Fact]
    public void With_an_arbiter_a_kept_address_is_an_alarm_and_the_takeover_goes_on()
    {
        _resource.HasArbiter = true;
        _resource.Holder = () => OtherHolder;

        Assert.True(_resource.TakeOver().Succeeded);
        Assert.Equal(
            ["pre-acquire as Standby", "event takeover-blocked", "Promote automatically", .. s_aboveTheRole],
            _resource.Steps);
        Assert.Contains(OtherHolder, _resource.Messages[0]);
    }

    [Fact]
    public void A_role_that_was_this_nodes_anyway_is_resumed_although_somebody_keeps_an_address()
    {
        // Its right is proven without the probe; and it is no takeover that anybody has to be told of.
        _resource.Holder = () => OtherHolder;

        Assert.True(_resource.End(_resource.BeginTakeover(kind: RoleRecordKind.Promotion)).Succeeded);
        Assert.Equal(
            [
                "pre-acquire as Standby", "event takeover-blocked", "Promote automatically", "exports open",
                "addresses added", "post-acquire as Primary", "event acquired",
            ],
            _resource.Steps);
    }

    [Fact]
    public void An_address_that_is_released_in_time_stops_nothing()
    {
        _resource.Holder = () => _resource.Probes <= 2 ? OtherHolder : null;

        Assert.True(_resource.TakeOver().Succeeded);
        Assert.Equal(3, _resource.Probes);
        Assert.Equal(["pre-acquire as Standby", "Promote automatically", .. s_aboveTheRole], _resource.Steps);
    }

    [Fact]
    public void The_same_obstacle_is_told_and_recorded_once_until_a_minute_has_passed_without_it()
    {
        _resource.FailingHooks.Add(HookStep.PreAcquire);
        _resource.TakeOver();
        _resource.TakeOver();
        Assert.Single(_resource.Messages);
        Assert.Single(_resource.Records);

        _resource.Pass(61 * FakeResource.SecondNs);
        _resource.TakeOver();
        Assert.Equal(2, _resource.Messages.Count);
    }

    [Fact]
    public void A_refused_claim_opens_nothing_and_undoes_the_hooks()
    {
        _resource.Refuse = _ => new CommandOutcome(false, "the arbiter names b");

        Assert.Equal("the arbiter names b", _resource.TakeOver().Message);
        Assert.Equal(
            ["pre-acquire as Standby", "Promote automatically", "post-release as Standby"], _resource.Steps);
    }

    [Fact]
    public void After_the_claim_failures_are_told_and_the_role_stays()
    {
        _resource.AddressFailures = ["No such device eth9."];
        _resource.FailingHooks.Add(HookStep.PostAcquire);

        CommandOutcome outcome = _resource.TakeOver();

        Assert.True(outcome.Succeeded);
        Assert.Equal(
            [
                "pre-acquire as Standby", "Promote automatically", "exports open", "addresses added",
                "event address-failed", "post-acquire as Primary", "event hook-failed", "event takeover",
            ],
            _resource.Steps);
        Assert.Contains("No such device eth9", _resource.Messages[^1]);
        Assert.False(Assert.Single(_resource.Records).Succeeded);
        Assert.Equal(Role.Primary, _resource.Role);
    }

    [Fact]
    public void A_takeover_is_not_begun_beside_another_sequence()
    {
        _resource.HangingHook = HookStep.PreAcquire;
        Task<CommandOutcome> promotion = _resource.Begin(new ResourceCommand.Promote(false));
        _resource.Until("the hook to hang", () => _resource.HookHangs);

        Assert.Equal("resource mail is busy: running the pre-acquire hooks", _resource.TakeOver().Message);
        _resource.OnLoop(((IResourceHost)_resource).CancelHooks);
        Assert.False(_resource.End(promotion).Succeeded);
    }

    [Fact]
    public void A_promotion_by_force_ends_a_takeover_that_waits_for_the_arbiter()
    {
        _resource.EngineWaits = true;
        Task<CommandOutcome> takeover = _resource.BeginTakeover();
        _resource.Until("the takeover to wait for its claim", () => _resource.AnswerEngine is not null);
        _resource.EngineWaits = false;

        CommandOutcome plain = _resource.Do(new ResourceCommand.Promote(false));
        Assert.Equal("resource mail is busy: promoting", plain.Message);
        Assert.True(_resource.Do(new ResourceCommand.Promote(true)).Succeeded);

        Assert.Equal("an operator promotes by force", _resource.End(takeover).Message);
        Assert.Equal(
            [
                "pre-acquire as Standby", "Promote automatically", "post-release as Standby", "pre-acquire as Standby",
                "Promote", "exports open", "addresses added", "post-acquire as Primary", "event acquired",
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_stop_ends_a_takeover_that_waits_for_an_address()
    {
        _resource.Holder = () => OtherHolder;
        Task<CommandOutcome> takeover = _resource.BeginTakeover();
        _resource.Until("the wait", () => _resource.Sequence.Step?.Name.StartsWith("waiting") == true);
        long stoppedAtNs = _resource.World.NowNs;

        Assert.True(_resource.Do(new ResourceCommand.Stop()).Succeeded);
        Assert.False(_resource.End(takeover).Succeeded);
        Assert.InRange(_resource.World.NowNs - stoppedAtNs, 0, FakeResource.SecondNs);
        Assert.DoesNotContain("Promote automatically", _resource.Steps);
    }

    [Fact]
    public void Withdrawn_addresses_come_back_once_nobody_else_has_them_and_role_and_exports_stay()
    {
        _resource.TakeOver();
        _resource.Forget();
        _resource.OnLoop(() => _resource.Sequence.WithdrawAddresses("the gateway is out of reach"));
        _resource.OnLoop(() => _resource.Sequence.WithdrawAddresses("the gateway is out of reach"));
        Assert.Equal(["event addresses-withdrawn", "addresses removed"], _resource.Steps);
        Assert.True(_resource.IsOpen && _resource.Role == Role.Primary);

        _resource.Forget();
        _resource.Holder = () => OtherHolder;
        _resource.OnLoop(_resource.Sequence.RestoreAddresses);
        _resource.OnLoop(_resource.Sequence.RestoreAddresses);
        _resource.Pass(3 * FakeResource.SecondNs);
        Assert.Equal(["event address-conflict"], _resource.Steps);

        _resource.Holder = () => null;
        _resource.Until("the addresses", () => _resource.HoldsAddresses);
        _resource.OnLoop(_resource.Sequence.RestoreAddresses);
        Assert.Equal(
            ["event address-conflict", "addresses added", "event addresses-added-again"], _resource.Steps);
    }

    [Fact]
    public void A_restoration_waits_for_the_removal_and_a_later_withdrawal_ends_it()
    {
        _resource.TakeOver();
        _resource.StuckRemovals = [];
        _resource.OnLoop(() => _resource.Sequence.WithdrawAddresses("isolated"));
        _resource.OnLoop(_resource.Sequence.RestoreAddresses);
        int probes = _resource.Probes;
        _resource.Pass(2 * FakeResource.SecondNs);
        Assert.Equal(probes, _resource.Probes);

        _resource.OnLoop(() => _resource.Sequence.WithdrawAddresses("isolated again"));
        _resource.OnLoop(_resource.StuckRemovals[0]);
        _resource.Pass(2 * FakeResource.SecondNs);
        Assert.False(_resource.HoldsAddresses);
    }

    [Fact]
    public void Withdrawn_addresses_are_not_restored_after_the_role_was_lost()
    {
        _resource.TakeOver();
        _resource.OnLoop(() => _resource.Sequence.WithdrawAddresses("isolated"));
        _resource.OnLoop(() =>
        {
            _resource.Sequence.RestoreAddresses();
            _resource.Role = Role.Standby;
            _resource.Sequence.RoleChanged(Role.Standby, "refused");
        });
        _resource.Pass(2 * FakeResource.SecondNs);

        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
    }

    [Fact]
    public void Addresses_that_the_host_removed_while_the_loop_stood_still_are_added_again_after_a_probe()
    {
        _resource.TakeOver();
        _resource.Forget();

        _resource.OnLoop(_resource.Sequence.AddressesWereRemoved);
        _resource.Until("the addresses", () => _resource.Steps.Contains("addresses added"));

        Assert.Equal(2, _resource.Probes);
    }
}
