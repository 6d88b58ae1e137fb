using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Takeover;

/// <summary>Changes of role by command, by the peer, and by loss.</summary>
public class RoleSequenceTests
{
    private static readonly ResourceCommand s_promote = new ResourceCommand.Promote(false);
    private static readonly ResourceCommand s_demote = new ResourceCommand.Demote();
    private static readonly ResourceCommand s_switchover = new ResourceCommand.Switchover();
    private static readonly ResourceCommand s_stop = new ResourceCommand.Stop();

    private static readonly string[] s_acquired =
    [
        "pre-acquire as Standby", "Promote", "exports open", "addresses added", "post-acquire as Primary",
        "event acquired",
    ];

    private readonly FakeResource _resource = new();

    [Fact]
    public void Promotion_goes_from_the_hooks_over_the_role_to_the_addresses()
    {
        CommandOutcome outcome = _resource.Do(s_promote);

        Assert.True(outcome.Succeeded);
        Assert.Equal(s_acquired, _resource.Steps);
        Assert.Null(_resource.Sequence.Step);
        RoleRecord record = Assert.Single(_resource.Records);
        Assert.Equal((RoleRecordKind.Promotion, true), (record.Kind, record.Succeeded));
        Assert.Equal(
            ["pre-acquire", "promote", "exports", "addresses", "post-acquire"], record.Phases.Select(p => p.Name));
    }

    [Fact]
    public void A_second_promotion_changes_nothing()
    {
        Promoted();

        Assert.True(_resource.Do(s_promote).Succeeded);
        Assert.Empty(_resource.Steps);
    }

    [Fact]
    public void A_promotion_that_the_engine_would_refuse_runs_no_hook()
    {
        _resource.RefuseBefore = _ => new CommandOutcome(false, "b is Primary", "mirrorctl switchover mail");

        Assert.Equal(
            new CommandOutcome(false, "b is Primary", "mirrorctl switchover mail"), _resource.Do(s_promote));
        Assert.Empty(_resource.Steps);
        Assert.Empty(_resource.Records);
    }

    [Fact]
    public void A_forced_promotion_of_a_Primary_reaches_the_engine_which_may_be_frozen()
    {
        Promoted();

        Assert.True(_resource.Do(new ResourceCommand.Promote(true)).Succeeded);
        Assert.Equal(["Promote"], _resource.Steps);
        Assert.True(_resource.HoldsAddresses);
    }

    [Fact]
    public void A_failing_pre_acquire_hook_stops_before_anything_changed()
    {
        _resource.FailingHooks.Add(HookStep.PreAcquire);

        CommandOutcome outcome = _resource.Do(s_promote);

        Assert.Equal(
            "nothing was changed: the pre-acquire hook 'x' failed with exit code 1", outcome.Message);
        Assert.Equal(["pre-acquire as Standby", "event hook-failed"], _resource.Steps);
    }

    [Fact]
    public void A_refused_promotion_opens_nothing_and_undoes_its_hooks()
    {
        _resource.Refuse = _ => new CommandOutcome(false, "no proof", "mirrorctl promote --force");

        CommandOutcome outcome = _resource.Do(s_promote);

        Assert.Equal(new CommandOutcome(false, "no proof", "mirrorctl promote --force"), outcome);
        Assert.Equal(["pre-acquire as Standby", "Promote", "post-release as Standby"], _resource.Steps);
    }

    [Fact]
    public void A_failing_post_acquire_hook_is_told_but_the_resource_is_served()
    {
        _resource.FailingHooks.Add(HookStep.PostAcquire);

        CommandOutcome outcome = _resource.Do(s_promote);

        Assert.Equal(
            "resource mail is Primary, but: the post-acquire hook 'x' failed with exit code 1",
            outcome.Message);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Fact]
    public void Demotion_removes_the_addresses_before_the_exports_and_both_before_the_role()
    {
        Promoted();

        Assert.True(_resource.Do(s_demote).Succeeded);
        Assert.Equal(
            [
                "pre-release as Primary", "addresses removed", "exports closed", "Demote",
                "post-release as Standby",
                "event released",
            ],
            _resource.Steps);
        Assert.Equal(
            ["pre-release", "addresses", "exports", "role", "post-release"],
            Assert.Single(_resource.Records).Phases.Select(phase => phase.Name));
    }

    [Fact]
    public void A_failing_pre_release_hook_leaves_everything_as_it_is()
    {
        Promoted();
        _resource.FailingHooks.Add(HookStep.PreRelease);

        Assert.False(_resource.Do(s_demote).Succeeded);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Fact]
    public void A_demotion_that_the_engine_refuses_serves_on()
    {
        Promoted();
        _resource.Refuse = _ => new CommandOutcome(false, "the disk does not flush");

        CommandOutcome outcome = _resource.Do(s_demote);

        Assert.Equal("the disk does not flush", outcome.Message);
        Assert.Equal(
            [
                "pre-release as Primary", "addresses removed", "exports closed", "Demote",
                "event release-failed",
                "exports open", "addresses added", "post-acquire as Primary", "event acquired",
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_hand_over_without_a_joined_peer_is_refused_before_anything_is_released()
    {
        Promoted();
        _resource.RefuseBefore = _ => new CommandOutcome(false, "b is not joined: Down");

        Assert.Equal("b is not joined: Down", _resource.Do(s_switchover).Message);
        Assert.Empty(_resource.Steps);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Fact]
    public void Switchover_on_the_Primary_hands_over()
    {
        Promoted();

        Assert.True(_resource.Do(s_switchover).Succeeded);
        Assert.Equal(
            ["pre-release as Primary", "addresses removed", "exports closed",
            "HandOver"], _resource.Steps.Take(4));
        Assert.Equal(RoleRecordKind.Switchover, Assert.Single(_resource.Records).Kind);
    }

    [Fact]
    public void Switchover_on_the_Standby_asks_for_the_role()
    {
        Assert.True(_resource.Do(s_switchover).Succeeded);
        Assert.Equal(s_acquired.Select(step => step == "Promote" ? "RequestRole" : step), _resource.Steps);
    }

    [Fact]
    public void A_peer_that_does_not_hand_over_in_time_is_not_waited_for_and_a_late_role_is_taken_up()
    {
        _resource.EngineWaits = true;

        CommandOutcome outcome = _resource.Do(s_switchover);

        Assert.Equal("b did not hand over within 120 s", outcome.Message);
        Assert.Equal(["pre-acquire as Standby", "RequestRole", "post-release as Standby"], _resource.Steps);
        _resource.Forget();
        _resource.AnswerEngine!();
        _resource.Settle();
        Assert.Equal(
            [
                "event role-taken", "pre-acquire as Primary", "exports open", "addresses added",
                "post-acquire as Primary", "event acquired",
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_peer_that_asks_for_the_role_gets_it_after_the_release()
    {
        Promoted();

        _resource.PeerAsks();
        _resource.Settle();

        Assert.Equal(
            [
                "event switchover-requested", "pre-release as Primary", "addresses removed", "exports closed",
                "HandOver", "post-release as Standby", "event released",
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_refused_hand_over_leaves_a_Primary_that_obeys_its_hooks_and_the_asker_hears_why()
    {
        Promoted();
        _resource.FailingHooks.Add(HookStep.PreRelease);
        _resource.PeerAsks();
        _resource.Settle();
        const string reason = "this node stays Primary: the pre-release hook 'x' failed with exit code 1; what the "
            + "pre-release hooks had ended was begun again";
        Assert.Equal(
            [
                "pre-release as Primary", "event hook-failed", "post-acquire as Primary", "event switchover-refused",
                $"refused: {reason}",
            ],
            _resource.Steps.Skip(1));
        _resource.Forget();

        CommandOutcome outcome = _resource.Do(s_demote);

        Assert.Equal(reason, outcome.Message);
        Assert.Equal(["pre-release as Primary", "event hook-failed", "post-acquire as Primary"], _resource.Steps);
        Assert.Equal(Role.Primary, _resource.Role);
        Assert.True(_resource.HoldsAddresses);
    }

    [Fact]
    public void A_release_whose_hooks_fail_both_ways_does_not_claim_that_nothing_has_changed()
    {
        Promoted();
        _resource.FailingHooks.UnionWith([HookStep.PreRelease, HookStep.PostAcquire]);

        CommandOutcome outcome = _resource.Do(s_demote);

        Assert.Equal(
            "this node stays Primary: the pre-release hook 'x' failed with exit code 1; what the pre-release hooks had "
            + "ended may still be so: the post-acquire hook 'x' failed with exit code 1", outcome.Message);
        Assert.Equal(Role.Primary, _resource.Role);
    }

    [Fact]
    public void A_hand_over_by_rule_whose_hook_fails_begins_again_what_the_hooks_ended()
    {
        Promoted();
        _resource.FailingHooks.Add(HookStep.PreRelease);

        _resource.OnLoop(() => Assert.True(_resource.Sequence.HandOver("no production network")));

        Assert.Equal(["pre-release as Primary", "event hook-failed", "post-acquire as Primary"], _resource.Steps);
        Assert.Equal(Role.Primary, _resource.Role);
    }

    [Fact]
    public void A_right_that_is_lost_while_hooks_begin_again_ends_them()
    {
        Promoted();
        _resource.FailingHooks.Add(HookStep.PreRelease);
        _resource.HangingHook = HookStep.PostAcquire;
        Task<CommandOutcome> demotion = _resource.Begin(s_demote);
        _resource.Until("the hook to hang", () => _resource.HookHangs);

        _resource.Tell(Role.Standby, "refused");

        Assert.Equal("the role was lost meanwhile", _resource.End(demotion).Message);
        Assert.Contains("hook killed", _resource.Steps);
        Assert.Equal("post-release as Standby", _resource.Steps[^1]);
        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
    }

    [Fact]
    public void A_hand_over_by_rule_is_not_begun_beside_another_sequence_and_says_so()
    {
        bool begun = true;
        _resource.OnLoop(() => begun = _resource.Sequence.HandOver("no production network"));
        Assert.False(begun, "a Standby has nothing to hand over");

        Promoted();
        _resource.HangingHook = HookStep.PreRelease;
        Task<CommandOutcome> demotion = _resource.Begin(new ResourceCommand.Demote());
        _resource.Until("the hook to hang", () => _resource.HookHangs);
        _resource.OnLoop(() => begun = _resource.Sequence.HandOver("no production network"));
        Assert.False(begun);

        _resource.OnLoop(((IResourceHost)_resource).CancelHooks);
        Assert.False(_resource.End(demotion).Succeeded);
        _resource.OnLoop(() => begun = _resource.Sequence.HandOver("no production network"));
        Assert.True(begun);
        Assert.Equal(Role.Standby, _resource.Role);
    }

    [Fact]
    public void A_role_handed_over_by_the_peer_is_taken_up()
    {
        _resource.Tell(Role.Primary, "the peer handed over");
        _resource.Settle();

        Assert.Equal(
            [
                "event role-taken", "pre-acquire as Primary", "exports open", "addresses added",
                "post-acquire as Primary", "event acquired",
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_lost_right_takes_the_addresses_away_first()
    {
        Promoted();

        _resource.Tell(Role.Standby, "refused");
        _resource.Settle();

        Assert.Equal(
            [
                "addresses removed", "exports closed", "event right-lost", "pre-release as Standby",
                "post-release as Standby",
            ],
            _resource.Steps);
        RoleRecord record = Assert.Single(_resource.Records);
        Assert.Equal((RoleRecordKind.Loss, "refused"), (record.Kind, record.Reason));
        Assert.Equal(["addresses", "exports"], record.Phases.Select(phase => phase.Name));
    }

    [Fact]
    public void A_lost_right_closes_the_exports_although_an_address_sticks()
    {
        Promoted();
        _resource.StuckRemovals = [];
        _resource.Tell(Role.Standby, "refused");

        _resource.Until("the exports to be closed", () => !_resource.IsOpen, 3);
        Assert.DoesNotContain("event right-lost", _resource.Steps);
        _resource.OnLoop(() => Assert.Single(_resource.StuckRemovals)());
        Assert.Single(_resource.Steps, step => step == "event right-lost");
    }

    [Fact]
    public void A_lost_right_does_not_wait_for_a_hanging_hook()
    {
        _resource.HangingHook = HookStep.PostAcquire;
        Task<CommandOutcome> promotion = _resource.Begin(s_promote);
        _resource.Until("the hook to hang", () => _resource.HookHangs);
        Assert.True(_resource.HoldsAddresses);

        _resource.Tell(Role.Standby, "refused");
        CommandOutcome outcome = _resource.End(promotion);

        Assert.False(outcome.Succeeded);
        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
        Assert.Single(_resource.Steps, step => step == "event right-lost");
    }

    [Fact]
    public void A_right_lost_while_releasing_ends_the_release_and_is_told_once()
    {
        Promoted();
        _resource.HangingHook = HookStep.PreRelease;
        Task<CommandOutcome> demotion = _resource.Begin(s_demote);
        _resource.Until("the hook to hang", () => _resource.HookHangs);

        _resource.Tell(Role.Standby, "refused");
        _resource.Until("the release", () => !_resource.HoldsAddresses && !_resource.IsOpen);
        _resource.OnLoop(((IResourceHost)_resource).CancelHooks);

        Assert.Equal("the role was lost meanwhile", _resource.End(demotion).Message);
        Assert.DoesNotContain("Demote", _resource.Steps);
        Assert.Single(_resource.Steps, step => step == "event right-lost");
    }

    [Fact]
    public void A_right_lost_while_promoting_opens_nothing_and_undoes_the_hooks()
    {
        _resource.Refuse = _ =>
        {
            // The engine gains the role and loses it again before its answer is looked at.
            _resource.Sequence.RoleChanged(Role.Standby, "refused");
            return new CommandOutcome(true, "promoted");
        };

        CommandOutcome outcome = _resource.Do(s_promote);

        Assert.False(outcome.Succeeded);
        Assert.Equal(
            ["pre-acquire as Standby", "Promote", "addresses removed", "post-release as Standby", "exports closed"],
            _resource.Steps);
    }

    [Fact]
    public void What_is_acquired_after_a_loss_waits_for_its_release_and_its_hooks()
    {
        Promoted();
        _resource.StuckRemovals = [];
        _resource.Tell(Role.Standby, "refused");
        _resource.Until(
            "the loss to have its turn", () => _resource.Sequence.Step?.Name == "releasing after a lost right");

        Task<CommandOutcome> promotion = _resource.Begin(s_promote);
        _resource.Settle();
        Assert.DoesNotContain("Promote", _resource.Steps);
        _resource.OnLoop(Assert.Single(_resource.StuckRemovals));

        Assert.True(_resource.End(promotion).Succeeded);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
        Assert.Equal(
            [
                "addresses removed", "exports closed", "event right-lost", "pre-release as Standby",
                "post-release as Standby", .. s_acquired,
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_command_during_another_one_is_refused_with_the_step()
    {
        _resource.HangingHook = HookStep.PreAcquire;
        Task<CommandOutcome> first = _resource.Begin(s_promote);
        _resource.Until("the hook to hang", () => _resource.HookHangs);

        CommandOutcome second = _resource.Do(s_demote);

        Assert.Equal("resource mail is busy: running the pre-acquire hooks", second.Message);
        Assert.True(_resource.Do(s_stop).Succeeded);
        Assert.False(_resource.End(first).Succeeded);
    }

    [Fact]
    public void A_stop_releases_whatever_the_hooks_say()
    {
        Promoted();
        _resource.FailingHooks.Add(HookStep.PreRelease);

        Assert.True(_resource.Do(s_stop).Succeeded);
        Assert.Equal(
            [
                "pre-release as Primary", "event hook-failed", "addresses removed", "exports closed", "Stop",
                "post-release as Standby",
            ],
            _resource.Steps);
    }

    [Fact]
    public void A_stop_does_not_wait_for_a_promotion_that_waits_for_others()
    {
        _resource.EngineWaits = true;
        Task<CommandOutcome> promotion = _resource.Begin(s_promote);
        _resource.Until("the promotion to wait", () => _resource.AnswerEngine is not null);
        _resource.EngineWaits = false;

        Assert.True(_resource.Do(s_stop).Succeeded);
        Assert.Equal("this daemon is stopping", _resource.End(promotion).Message);

        // A role that comes after all is not taken up.
        _resource.AnswerEngine!();
        _resource.Settle();
        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_stop_hands_the_role_over_first_where_configured_and_stops_also_when_that_fails(bool handsOver)
    {
        var resource = new FakeResource();
        resource.Do(s_promote);
        resource.Forget();
        resource.Refuse = command => !handsOver && command is ResourceCommand.HandOver
            ? new CommandOutcome(false, "b does not answer") : null;

        Assert.True(resource.Do(new ResourceCommand.Stop(HandsOver: true)).Succeeded);
        string[] told = handsOver ? [] : ["event switchover-failed"];
        Assert.Equal(
            [
                "pre-release as Primary", "addresses removed", "exports closed", "HandOver", .. told, "Stop",
                "post-release as Standby",
            ],
            resource.Steps);
    }

    private void Promoted()
    {
        Assert.True(_resource.Do(s_promote).Succeeded);
        _resource.Forget();
        _resource.Records.Clear();
    }
}
