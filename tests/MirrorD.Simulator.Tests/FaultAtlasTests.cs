using MirrorD.Core.Handshake;
using MirrorD.Simulator.Faults;

namespace MirrorD.Simulator.Tests;

public class FaultAtlasTests
{
    public static TheoryData<HandshakeCase> Staged =>
        [.. HandshakeStages.All.Select(stage => stage.Case)];

    [Theory]
    [MemberData(nameof(Staged))]
    public void Each_stage_meets_its_case(HandshakeCase wanted) => Assert.True(HandshakeStages.Meets(
        wanted, HandshakeStages.All.Single(stage => stage.Case == wanted).Scenario));

    [Theory]
    [InlineData(HandshakeCase.BothPrimary)]
    [InlineData(HandshakeCase.PrimaryWouldBeTarget)]
    public void Each_stage_of_a_Primary_meets_its_case(HandshakeCase wanted) =>
        Assert.True(HandshakeStages.MeetsWithPrimary(wanted));

    [Fact]
    public void A_split_brain_ends_by_an_operators_word() => Assert.True(HandshakeStages.MeetsAfterWord());

    [Fact]
    public void A_split_brain_ends_by_a_policy() => Assert.True(HandshakeStages.MeetsByPolicy());

    [Fact]
    public void Two_kinds_are_a_pair_when_they_come_soon_after_each_other_in_one_seed()
    {
        const long far = FaultAtlas.PairNs + 1;
        Assert.Equal(1, Count([(FaultKind.PowerCut, 0), (FaultKind.Kill, FaultAtlas.PairNs)]));
        Assert.Equal(0, Count([(FaultKind.Kill, 0), (FaultKind.PowerCut, far)]));
        Assert.Equal(0, Count([(FaultKind.Kill, 0)], [(FaultKind.PowerCut, 0)]));
        Assert.Equal(2, Count([(FaultKind.Kill, 0), (FaultKind.PowerCut, 1), (FaultKind.Kill, 2)]));

        static int Count(params (FaultKind, long)[][] faultsOfSeeds)
        {
            IReadOnlyList<(string Pair, int Count)> pairs = FaultAtlas.CountPairs(faultsOfSeeds);
            Assert.Equal(FaultAtlas.Kinds.Count * (FaultAtlas.Kinds.Count - 1) / 2, pairs.Count);
            return pairs.Single(pair => pair.Pair == $"{FaultKind.Kill} with {FaultKind.PowerCut}").Count;
        }
    }

    [Fact]
    public void Each_tenth_seed_draws_all_kinds_but_those_that_follow_others()
    {
        Assert.Equal(FaultAtlas.Kinds.Except(FaultAtlas.Following), Drawn(30));
        Assert.NotEqual(FaultAtlas.Kinds.Except(FaultAtlas.Following), Drawn(31));

        static IEnumerable<FaultKind> Drawn(ulong seed)
        {
            int[] weights = Scenario.FromSeed(seed).FaultWeights;
            return FaultAtlas.Kinds.Where(kind => weights[(int)kind] > 0);
        }
    }

    [Fact]
    public void Each_case_is_missing_that_was_not_met_and_could_have_been()
    {
        string[] all = [.. Enum.GetNames<HandshakeCase>()];
        Assert.Empty(FaultAtlas.MissingCases(all.Except([nameof(HandshakeCase.SameNode)])));
        Assert.Equal(
            [nameof(HandshakeCase.Same)], FaultAtlas.MissingCases(all.Except([nameof(HandshakeCase.Same)])));
    }
}
