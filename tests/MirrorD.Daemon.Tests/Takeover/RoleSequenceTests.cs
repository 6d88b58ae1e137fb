using MirrorD.Daemon.Takeover;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Daemon.Tests.Takeover;

public class RoleSequenceTests
{
    private static readonly string[] s_acquired =
    [
        "pre-acquire as Standby", "Promote", "exports open", "addresses added", "post-acquire as Primary",
        "event acquired",
    ];

    private readonly FakeResource _resource = new();

    [Fact]
    public async Task Promotion_goes_from_the_hooks_over_the_role_to_the_addresses()
    {
        CommandOutcome outcome = await _resource.Sequence.Promote(false);

        Assert.True(outcome.Succeeded);
        Assert.Equal(s_acquired, _resource.Steps);
        Assert.Null(_resource.Sequence.Step);
    }

    [Fact]
    public async Task A_second_promotion_changes_nothing()
    {
        await _resource.Sequence.Promote(false);
        _resource.Forget();

        Assert.True((await _resource.Sequence.Promote(false)).Succeeded);
        Assert.Empty(_resource.Steps);
    }

    [Fact]
    public async Task A_forced_promotion_of_a_Primary_reaches_the_engine_which_may_be_frozen()
    {
        await _resource.Sequence.Promote(false);
        _resource.Forget();

        Assert.True((await _resource.Sequence.Promote(true)).Succeeded);
        Assert.Equal(["Promote"], _resource.Steps);
        Assert.True(_resource.HoldsAddresses);
    }

    [Fact]
    public async Task A_failing_pre_acquire_hook_stops_before_anything_changed()
    {
        _resource.FailingHooks.Add(HookStep.PreAcquire);

        CommandOutcome outcome = await _resource.Sequence.Promote(false);

        Assert.Equal(
            "nothing was changed: the pre-acquire hook 'x' failed with exit code 1", outcome.Message);
        Assert.Equal(["pre-acquire as Standby", "event hook-failed"], _resource.Steps);
    }

    [Fact]
    public async Task A_refused_promotion_opens_nothing_and_undoes_its_hooks()
    {
        _resource.Refuse = _ => new CommandOutcome(false, "no proof", "mirrorctl promote --force");

        CommandOutcome outcome = await _resource.Sequence.Promote(false);

        Assert.Equal(new CommandOutcome(false, "no proof", "mirrorctl promote --force"), outcome);
        Assert.Equal(["pre-acquire as Standby", "Promote", "post-release as Standby"], _resource.Steps);
    }

    [Fact]
    public async Task A_failing_post_acquire_hook_is_told_but_the_resource_is_served()
    {
        _resource.FailingHooks.Add(HookStep.PostAcquire);

        CommandOutcome outcome = await _resource.Sequence.Promote(false);

        Assert.Equal(
            "resource mail is Primary, but: the post-acquire hook 'x' failed with exit code 1",
            outcome.Message);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Fact]
    public async Task Demotion_removes_the_addresses_before_the_exports_and_both_before_the_role()
    {
        await _resource.Sequence.Promote(false);
        _resource.Forget();

        Assert.True((await _resource.Sequence.Demote()).Succeeded);
        Assert.Equal(
            [
                "pre-release as Primary", "addresses removed", "exports closed", "Demote",
                "post-release as Standby",
                "event released",
            ],
            _resource.Steps);
    }

    [Fact]
    public async Task A_failing_pre_release_hook_leaves_everything_as_it_is()
    {
        await _resource.Sequence.Promote(false);
        _resource.FailingHooks.Add(HookStep.PreRelease);

        Assert.False((await _resource.Sequence.Demote()).Succeeded);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Fact]
    public async Task A_demotion_that_the_engine_refuses_serves_on()
    {
        await _resource.Sequence.Promote(false);
        _resource.Refuse = _ => new CommandOutcome(false, "the disk does not flush");
        _resource.Forget();

        CommandOutcome outcome = await _resource.Sequence.Demote();

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
    public async Task Switchover_on_the_Primary_hands_over()
    {
        await _resource.Sequence.Promote(false);
        _resource.Forget();

        Assert.True((await _resource.Sequence.Switchover()).Succeeded);
        Assert.Equal(
            ["pre-release as Primary", "addresses removed", "exports closed",
            "HandOver"], _resource.Steps.Take(4));
    }

    [Fact]
    public async Task Switchover_on_the_Standby_asks_for_the_role()
    {
        Assert.True((await _resource.Sequence.Switchover()).Succeeded);
        Assert.Equal(s_acquired.Select(step => step == "Promote" ? "RequestRole" : step), _resource.Steps);
    }

    [Fact]
    public async Task A_peer_that_asks_for_the_role_gets_it_after_the_release()
    {
        await _resource.Sequence.Promote(false);
        _resource.Forget();

        await Within.Deadline(_resource.Sequence.PeerRequestsRole(), "the hand-over");

        Assert.Equal(
            [
                "event switchover-requested", "pre-release as Primary", "addresses removed", "exports closed",
                "HandOver", "post-release as Standby", "event released",
            ],
            _resource.Steps);
    }

    [Fact]
    public async Task A_refused_hand_over_leaves_a_Primary_that_obeys_its_hooks()
    {
        await _resource.Sequence.Promote(false);
        _resource.FailingHooks.Add(HookStep.PreRelease);
        await _resource.Sequence.PeerRequestsRole();
        _resource.Forget();

        CommandOutcome outcome = await _resource.Sequence.Demote();

        Assert.Equal(
            "nothing was changed: the pre-release hook 'x' failed with exit code 1", outcome.Message);
        Assert.Equal(["pre-release as Primary", "event hook-failed"], _resource.Steps);
        Assert.Equal(Role.Primary, _resource.Role);
        Assert.True(_resource.HoldsAddresses);
    }

    [Fact]
    public async Task A_role_handed_over_by_the_peer_is_taken_up()
    {
        _resource.Role = Role.Primary;

        await Within.Deadline(
            _resource.Sequence.RoleChanged(Role.Primary, "the peer handed over"), "the acquisition");

        Assert.Equal(
            [
                "event role-taken", "pre-acquire as Primary", "exports open", "addresses added",
                "post-acquire as Primary", "event acquired",
            ],
            _resource.Steps);
    }

    [Fact]
    public async Task A_lost_right_takes_the_addresses_away_first()
    {
        await _resource.Sequence.Promote(false);
        _resource.Forget();
        _resource.Role = Role.Standby;

        await Within.Deadline(_resource.Sequence.RoleChanged(Role.Standby, "refused"), "the release");

        Assert.Equal(
            [
                "addresses removed", "exports closed", "event right-lost", "pre-release as Standby",
                "post-release as Standby",
            ],
            _resource.Steps);
    }

    [Fact]
    public async Task A_lost_right_does_not_wait_for_a_hanging_hook()
    {
        _resource.HangingHook = HookStep.PostAcquire;
        Task<CommandOutcome> promotion = _resource.Sequence.Promote(false);
        await Within.Deadline(_resource.HookHangs.Task, "the hook to hang");
        Assert.True(_resource.HoldsAddresses);

        _resource.Role = Role.Standby;
        await Within.Deadline(_resource.Sequence.RoleChanged(Role.Standby, "refused"), "the release");
        CommandOutcome outcome = await Within.Deadline(promotion, "the promotion to end");

        Assert.False(outcome.Succeeded);
        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
    }

    [Fact]
    public async Task A_right_lost_while_promoting_opens_nothing()
    {
        Task lost = Task.CompletedTask;
        _resource.Refuse = command =>
        {
            // The engine gains the role and loses it again before its answer is looked at.
            lost = _resource.Sequence.RoleChanged(Role.Standby, "refused");
            lost.Wait(TimeSpan.FromSeconds(20));
            return new CommandOutcome(true, "promoted");
        };

        CommandOutcome outcome = await _resource.Sequence.Promote(false);
        await Within.Deadline(lost, "the loss");

        Assert.False(outcome.Succeeded);
        Assert.DoesNotContain("addresses added", _resource.Steps);
        Assert.DoesNotContain("exports open", _resource.Steps);
    }

    [Fact]
    public async Task What_is_acquired_after_a_loss_waits_for_its_release()
    {
        await _resource.Sequence.Promote(false);
        await Within.Deadline(_resource.Told, "the engine's word of the promotion");
        var mayRemove = new TaskCompletionSource();
        _resource.MayRemove = mayRemove.Task;
        _resource.Role = Role.Standby;
        Task lost = _resource.Sequence.RoleChanged(Role.Standby, "refused");

        Task<CommandOutcome> promotion = _resource.Sequence.Promote(false);
        await Within.Until(
            () => Task.FromResult(_resource.Sequence.Step == "waiting for the release after a lost right"),
            "the promotion to wait");
        mayRemove.SetResult();

        Assert.True((await Within.Deadline(promotion, "the promotion")).Succeeded);
        await Within.Deadline(lost, "the loss");
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Fact]
    public async Task A_command_during_another_one_is_refused_with_the_step()
    {
        _resource.HangingHook = HookStep.PreAcquire;
        Task<CommandOutcome> first = _resource.Sequence.Promote(false);
        await Within.Deadline(_resource.HookHangs.Task, "the hook to hang");

        CommandOutcome second = await _resource.Sequence.Demote();

        Assert.Equal("resource mail is busy: running the pre-acquire hooks", second.Message);
        await Within.Deadline(_resource.Sequence.Stop(), "the stop");
        Assert.False((await Within.Deadline(first, "the first command")).Succeeded);
    }

    [Fact]
    public async Task A_stop_releases_whatever_the_hooks_say()
    {
        await _resource.Sequence.Promote(false);
        _resource.FailingHooks.Add(HookStep.PreRelease);
        _resource.Forget();

        Assert.True((await Within.Deadline(_resource.Sequence.Stop(), "the stop")).Succeeded);
        Assert.Equal(
            [
                "pre-release as Primary", "event hook-failed", "addresses removed", "exports closed", "Stop",
                "post-release as Standby",
            ],
            _resource.Steps);
    }
}
