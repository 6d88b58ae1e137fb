using System.Globalization;
using MirrorD.Lab;
using MirrorD.Lab.Pairs;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests.Failover;

/// <summary>
/// Random faults with an arbiter: never do both nodes complete writes in one session, nothing acknowledged is lost, and
/// once the faults end the pair joins with one Primary.
/// </summary>
public sealed class FaultStoriesTests(SharedPair shared, ITestOutputHelper output) : FailoverTest(shared, s_options)
{
    private static readonly PairOptions s_options = PairOptions.Automatic with
    {
        Arbiter = true,
        ResourceLines = [ReleaseTimeout, "prefer-connected-node: ask", "preferred-primary: a"],
    };

    /// <summary>STORIES of them (15), from seed STORY_SEED (1) on.</summary>
    public static TheoryData<int> Seeds() =>
        [.. Enumerable.Range(Rounds.From("STORY_SEED", 1), Rounds.From("STORIES", 15))];

    [HostTheory]
    [MemberData(nameof(Seeds))]
    public void Whatever_fails_only_one_node_completes_writes_and_none_is_lost(int seed)
    {
        var story = new FaultStory(seed, Lab, Pair);
        output.WriteLine($"story {seed}: {story}");
        try
        {
            Witness.WaitForWrites(Primary);
            foreach ((string name, Action happen, double seconds) in story.Steps)
            {
                happen();
                Wait.While($"after \"{name}\" faults take their time", seconds, () => true);
                Assert.Empty(Witness.Violations());
            }

            AssertConverges();
            output.WriteLine($"{Witness.OfA.Count} writes through a, {Witness.OfB.Count} through b");
        }
        catch (Exception failed)
        {
            string again = string.Create(CultureInfo.InvariantCulture, $"make test-hosts STORY_SEED={seed} STORIES=1");
            throw new InvalidOperationException(
                $"story {seed} (again: {again}): {story}\n{failed.Message}\n{Witness.Picture()}\n{Lab.Logs(80)}",
                failed);
        }
    }
}
