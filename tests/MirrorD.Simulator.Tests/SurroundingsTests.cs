using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests;

/// <summary>What the checks know of the networks is what really was open.</summary>
public class SurroundingsTests
{
    private readonly PairSimulation _pair = new(Scenario.FromSeed(1));

    [Fact]
    public void A_node_whose_datagrams_are_all_held_back_is_not_heard_until_they_are_let_go()
    {
        Networks networks = _pair.Networks;
        networks.HoldBack("a", onlyControl: false);
        Assert.False(networks.IsAnyOpen("a", "b"));
        Assert.True(networks.IsAnyOpen("b", "a"));

        networks.LetGo();
        Assert.True(networks.IsAnyOpen("a", "b"));
    }

    [Fact]
    public void A_node_of_which_only_control_messages_are_held_back_is_heard_by_its_heartbeats()
    {
        _pair.Networks.HoldBack("a", onlyControl: false);
        _pair.Networks.HoldBack("a", onlyControl: true);
        Assert.True(_pair.Networks.IsAnyOpen("a", "b"));
    }

    [Fact]
    public void A_silence_by_held_datagrams_is_a_loss_after_dead_after()
    {
        _pair.Begin();
        try
        {
            _pair.RunFor(1_000_000_000);
            Assert.False(CouldCallLost());
            _pair.Networks.HoldBack("a", onlyControl: false);
            _pair.RunFor((Scenario.DeadAfterMs + Scenario.HeartbeatMs) * 1_000_000L);
            Assert.True(CouldCallLost());
        }
        finally
        {
            _pair.End();
        }

        bool CouldCallLost() => _pair.Truth.CouldCallLostAtNs(_pair.Nodes[1]) == _pair.World.NowNs;
    }
}
