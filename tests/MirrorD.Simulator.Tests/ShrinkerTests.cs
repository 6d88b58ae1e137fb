using MirrorD.Simulator.Faults;
using MirrorD.Simulator.Workload;

namespace MirrorD.Simulator.Tests;

public class ShrinkerTests
{
    [Fact]
    public void Nothing_is_left_but_what_the_failure_needs()
    {
        Seeds.Outcome? smallest = Shrinker.Shrink(plan => Run(plan ?? Drawn()), _ => { });
        Assert.NotNull(smallest);
        Assert.Equal([FaultKind.Kill, FaultKind.PowerCut], smallest.Faults.Select(fault => fault.Kind));
    }

    [Fact]
    public void Another_failure_is_not_taken_for_the_same()
    {
        // Without its Reset the run fails otherwise.
        Seeds.Outcome? smallest = Shrinker.Shrink(
            plan => (plan ?? Drawn()).Any(fault => fault.Kind == FaultKind.Reset)
                ? Run(plan ?? Drawn()) : Outcome(plan!, new RuleBroken("I-22", "never joined")), _ => { });
        Assert.NotNull(smallest);
        Assert.Equal("I-6", smallest.Rule);
        Assert.Equal(
            [FaultKind.Reset, FaultKind.Kill, FaultKind.PowerCut], smallest.Faults.Select(fault => fault.Kind));
    }

    [Fact]
    public void A_seed_that_does_not_fail_is_not_shrunk() =>
        Assert.Null(Shrinker.Shrink(plan => Outcome(plan ?? Drawn(), null), _ => { }));

    [Theory]
    [InlineData(3)]
    [InlineData(24)]
    public void Faults_from_a_list_make_the_same_history_as_when_they_were_drawn(ulong seed)
    {
        List<string> drawn = [];
        Seeds.Outcome first = Seeds.RunOne(seed, drawn.Add);
        Assert.NotEmpty(first.Faults);
        List<string> listed = [];
        Seeds.Outcome second = Seeds.RunOne(seed, listed.Add, first.Faults);
        Assert.Equal(drawn, listed);
        Assert.Equal(first.Faults, second.Faults);
    }

    [Fact]
    public void Without_its_faults_a_seed_has_none()
    {
        List<string> trace = [];
        Seeds.Outcome outcome = Seeds.RunOne(3, trace.Add, []);
        Assert.Empty(outcome.Faults);
        Assert.Null(outcome.Failure);
        Assert.DoesNotContain(trace, line => line.Contains("power cut", StringComparison.Ordinal));
    }

    /// <summary>Twenty faults, of which a Kill and a later PowerCut are enough.</summary>
    private static List<PlannedFault> Drawn() =>
    [
        .. Enumerable.Range(0, 20).Select(i => new PlannedFault(i, i, i switch
        {
            3 => FaultKind.Reset,
            7 => FaultKind.Kill,
            16 => FaultKind.PowerCut,
            _ => FaultKind.Pause,
        }, 0, (ulong)i)),
    ];

    private static Seeds.Outcome Run(IReadOnlyList<PlannedFault> faults)
    {
        bool fails = faults.SkipWhile(fault => fault.Kind != FaultKind.Kill)
            .Any(fault => fault.Kind == FaultKind.PowerCut);
        return Outcome(faults, fails ? new RuleBroken("I-6", "a block differs") : null);
    }

    private static Seeds.Outcome Outcome(IReadOnlyList<PlannedFault> faults, Exception? failure) =>
        new(1, failure, new Tally(), faults);
}
