using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Takeover;

/// <summary>Block devices around a role: late ones, and those that somebody uses.</summary>
public class DeviceUseTests
{
    private static readonly string[] s_mounted = ["/dev/mirrord/mail/data is mounted at /srv/mail"];

    private static readonly string[] s_dead = ["/dev/nbd0 is mounted at /srv/mail"];

    private readonly FakeResource _resource = new();

    [Fact]
    public void A_device_that_is_not_there_is_told_and_the_resource_is_served()
    {
        _resource.DeviceFailures = ["Device /dev/mirrord/mail/data could not be made: no nbd."];

        CommandOutcome outcome = _resource.Do(new ResourceCommand.Promote(false));

        Assert.Equal(
            "resource mail is Primary, but: Device /dev/mirrord/mail/data could not be made: no nbd", outcome.Message);
        Assert.Contains("event device-failed", _resource.Steps);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_used_device_keeps_the_role_and_what_the_hooks_ended_begins_again(bool isHandOver)
    {
        Promoted();
        _resource.DeviceUsers = s_mounted;

        CommandOutcome outcome =
            _resource.Do(isHandOver ? new ResourceCommand.Switchover() : new ResourceCommand.Demote());

        Assert.False(outcome.Succeeded);
        Assert.Equal(
            "this node stays Primary: /dev/mirrord/mail/data is mounted at /srv/mail; what the pre-release hooks had "
            + "ended was begun again", outcome.Message);
        Assert.Equal(
            ["pre-release as Primary", "event device-in-use", "post-acquire as Primary"], _resource.Steps);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
        Assert.Equal(Role.Primary, _resource.Role);

        _resource.DeviceUsers = [];
        Assert.True(_resource.Do(new ResourceCommand.Demote()).Succeeded);
        Assert.False(_resource.IsOpen);
    }

    [Fact]
    public void A_peer_that_asks_for_the_role_is_told_who_uses_the_device()
    {
        Promoted();
        _resource.DeviceUsers = s_mounted;

        _resource.PeerAsks();

        _resource.Until("refused", () => _resource.Steps.Contains("event switchover-refused"));
        Assert.Contains("mounted at /srv/mail", _resource.Messages[^1], StringComparison.Ordinal);
        Assert.Equal(Role.Primary, _resource.Role);
    }

    [Fact]
    public void A_stop_serves_on_until_the_device_is_unused()
    {
        Promoted();
        _resource.DeviceUsers = s_mounted;
        CommandOutcome? ended = null;
        _resource.OnLoop(() => _resource.Sequence.Command(new ResourceCommand.Stop(), outcome => ended = outcome));
        _resource.Pass(20 * FakeResource.SecondNs);
        Assert.Null(ended);
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
        Assert.Equal(["pre-release as Primary", "event device-in-use"], _resource.Steps);

        _resource.DeviceUsers = [];
        _resource.Until("stopped", () => ended is not null);
        Assert.True(ended!.Succeeded);
        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
    }

    [Fact]
    public void A_stop_that_waits_for_a_device_goes_on_when_the_right_is_lost()
    {
        Promoted();
        _resource.DeviceUsers = s_mounted;
        CommandOutcome? ended = null;
        _resource.OnLoop(() => _resource.Sequence.Command(new ResourceCommand.Stop(), outcome => ended = outcome));
        _resource.Until("it waits", () => _resource.Steps.Contains("event device-in-use"));

        _resource.Tell(Role.Standby, "refused");
        _resource.Until("stopped", () => ended is not null);
        Assert.False(_resource.HoldsAddresses || _resource.IsOpen);
    }

    [Fact]
    public void Users_of_what_an_earlier_daemon_left_are_named_and_stopped_by_the_hooks()
    {
        _resource.UsersOfClosed = s_dead;

        _resource.OnLoop(() => _resource.Sequence.EndLeftovers("b has been Primary since"));

        Assert.Equal(
            ["event device-removed", "exports closed", "pre-release as Standby", "post-release as Standby"],
            _resource.Steps);
        Assert.Contains("as b has been Primary since", _resource.Messages[^1], StringComparison.Ordinal);
        Assert.Contains("/dev/nbd0 is mounted at /srv/mail", _resource.Messages[^1], StringComparison.Ordinal);
        Assert.Null(_resource.Sequence.Step);
    }

    [Fact]
    public void What_an_earlier_daemon_left_and_nobody_uses_goes_without_a_word()
    {
        _resource.OnLoop(() => _resource.Sequence.EndLeftovers("the role was given up before"));

        Assert.Equal(["exports closed"], _resource.Steps);
    }

    [Fact]
    public void Nothing_is_opened_before_what_was_left_is_gone()
    {
        _resource.StuckLooks = [];
        _resource.OnLoop(() => _resource.Sequence.EndLeftovers("b has been Primary since"));

        _resource.Tell(Role.Primary, "the peer handed over");
        _resource.Pass(FakeResource.SecondNs);
        Assert.DoesNotContain("exports open", _resource.Steps);

        List<Action> looks = _resource.StuckLooks;
        _resource.StuckLooks = null;
        _resource.OnLoop(looks.Single());
        string[] expected = ["exports closed", "exports open"];
        Assert.Equal(expected, _resource.Steps.Where(step => step.StartsWith("exports", StringComparison.Ordinal)));
        Assert.True(_resource.HoldsAddresses && _resource.IsOpen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_role_is_not_asked_for_while_a_dead_device_is_in_the_way(bool isSwitchover)
    {
        _resource.OnLoop(() => _resource.Sequence.EndLeftovers("b has been Primary since"));
        _resource.Forget();
        _resource.UsersOfClosed = s_dead;

        CommandOutcome outcome =
            _resource.Do(isSwitchover ? new ResourceCommand.Switchover() : new ResourceCommand.Promote(false));

        Assert.False(outcome.Succeeded);
        Assert.Equal(
            "nothing was changed: a block device that was taken away is still in use: /dev/nbd0 is mounted at /srv/mail",
            outcome.Message);
        Assert.Empty(_resource.Steps);
        Assert.Equal(Role.Standby, _resource.Role);

        _resource.UsersOfClosed = [];
        Assert.True(_resource.Do(new ResourceCommand.Promote(false)).Succeeded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_role_that_can_not_wait_tells_of_a_dead_device_in_the_way(bool isTakeover)
    {
        Promoted();
        _resource.Tell(Role.Standby, "refused");
        _resource.Settle();
        _resource.Forget();
        _resource.UsersOfClosed = s_dead;

        CommandOutcome outcome =
            isTakeover ? _resource.TakeOver() : _resource.Do(new ResourceCommand.Promote(true));

        Assert.Contains(
            "a block device that was taken away is still in use: /dev/nbd0 is mounted at /srv/mail", outcome.Message,
            StringComparison.OrdinalIgnoreCase);
        Assert.True(
            _resource.Steps.ToList().IndexOf("event device-failed") < _resource.Steps.ToList().IndexOf("exports open"));
        Assert.Equal(Role.Primary, _resource.Role);
    }

    private void Promoted()
    {
        Assert.True(_resource.Do(new ResourceCommand.Promote(false)).Succeeded);
        _resource.Forget();
    }
}
