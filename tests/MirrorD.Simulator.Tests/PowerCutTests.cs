using MirrorD.Core;
using MirrorD.Simulator.PowerCuts;

namespace MirrorD.Simulator.Tests;

/// <summary>The bounded form of `tests/simulator cuts`, which cuts at each event.</summary>
public class PowerCutTests
{
    private static readonly string[] Needed =
        ["write", "flush", "log", "generation", "resync", "handshake", "J4", "switchover", "demotion", "promotion"];

    [Fact]
    public void The_story_passes_through_all_that_a_power_cut_may_interrupt()
    {
        EveryPowerCut.Course course = EveryPowerCut.Measure();
        Assert.All(Needed, word => Assert.Contains(course.Phases, phase => phase.Name.Contains(word)));
        Assert.All(course.Phases, phase => Assert.True(phase.Mutations > 0, $"{phase.Name} changes nothing on any disk"));
    }

    [Fact]
    public void Each_event_and_victim_is_chosen_once_or_every_so_many_th()
    {
        EveryPowerCut.Course course = new(100, 399, []);
        Assert.Equal(900, EveryPowerCut.Choose(course, 1).Distinct().Count());
        Assert.Equal(30, EveryPowerCut.Choose(course, 30).Distinct().Count());
        Assert.Equal(30, EveryPowerCut.Choose(course, 30).DistinctBy(chosen => chosen.Step).Count());
    }

    [Fact]
    public void A_power_cut_in_each_phase_leaves_nothing_broken()
    {
        EveryPowerCut.Course course = EveryPowerCut.Measure();
        IReadOnlyList<EveryPowerCut.Outcome> outcomes = EveryPowerCut.CutAll(EveryPowerCut.Choose(course, 90));
        Assert.All(outcomes, outcome => Assert.Null(outcome.Failure));
        Assert.Equal(
            Enumerable.Range(0, course.Phases.Count), outcomes.Select(outcome => outcome.Phase).Distinct().Order());
    }

    [Fact]
    public void A_power_cut_is_made_at_exactly_the_event_that_was_chosen()
    {
        var lines = new List<string>();
        EveryPowerCut.Outcome outcome = EveryPowerCut.Cut(1234, PowerCutVictim.Both, lines.Add);
        Assert.Null(outcome.Failure);
        string cut = Assert.Single(lines, line => line.Contains("power cut: a and b", StringComparison.Ordinal));
        Assert.Contains(" us     1234  ", cut);
    }
}
