using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>
/// Block devices that a killed daemon left wait for the next one only as long as that one may go on where
/// it ended.
/// </summary>
public class LeftoverDeviceTests
{
    [Fact]
    public void They_are_kept_when_nobody_served_meanwhile()
    {
        SimulatedPair pair = Killed();
        pair.A.Start();
        pair.Join();
        pair.Until("a is Primary again", () => pair.A.Role == Role.Primary);
        Assert.Equal(0, pair.A.Closings);
    }

    [Fact]
    public void They_are_closed_when_the_peer_has_taken_over()
    {
        SimulatedPair pair = Killed();
        pair.Until("link lost", () => pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Start();
        pair.Join();
        pair.Until("they are closed", () => pair.A.Closings == 1);
    }

    [Fact]
    public void They_are_closed_when_the_peer_had_taken_over_and_is_no_longer_primary()
    {
        SimulatedPair pair = Killed();
        pair.Until("link lost", () => pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.B.Kill();
        pair.B.Hooks = _ => "not now";
        pair.StartBoth();
        pair.Join();
        Assert.Equal(Role.Standby, pair.B.Role);
        pair.Until("they are closed", () => pair.A.Closings == 1);
        Assert.Equal(0, pair.B.Closings);
    }

    [Fact]
    public void They_are_closed_when_the_joined_peer_becomes_primary()
    {
        SimulatedPair pair = Killed();
        pair.A.Hooks = _ => "not now";
        pair.A.Start();
        pair.Join();
        pair.Until("a has tried", () => pair.A.Records.Any(record => !record.Succeeded));
        Assert.Equal(0, pair.A.Closings);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.Until("a knows", () => pair.A.Closings == 1);
    }

    [Fact]
    public void They_are_closed_at_the_start_when_the_role_was_given_up_before()
    {
        SimulatedPair pair = Joined();
        Assert.True(pair.A.Do(new ResourceCommand.Demote()).Succeeded);
        pair.A.Kill();
        pair.A.Start();
        pair.Until("a has loaded", () => pair.A.Closings == 1);
    }

    private static SimulatedPair Killed()
    {
        SimulatedPair pair = Joined();
        pair.A.Kill();
        return pair;
    }

    private static SimulatedPair Joined()
    {
        var pair = new SimulatedPair(hasArbiter: true);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, 65536, 1);
        return pair;
    }
}
