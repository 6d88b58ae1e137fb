using Xunit.Abstractions;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// Random walks of a pair that decides by itself who may go on (safety contract, sections 5 to 7).
/// </summary>
public class FailoverWalkTests(ITestOutputHelper output)
{
    private const int Walks = 60;
    private const int Steps = 1500;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Whatever_happens_one_node_serves_and_nothing_acknowledged_is_lost(int seed)
    {
        var reached = new Dictionary<string, int>();
        (int first, int count) = Range(seed);
        for (int number = first; number < first + count; number++)
        {
            var walk = new FailoverWalk(number);
            try
            {
                for (int step = 0; step < Steps && !walk.IsSplit; step++)
                {
                    walk.Step();
                }

                walk.Finish();
            }
            catch (Exception problem)
            {
                Assert.Fail($"walk {number}: {problem.Message}\n{problem.StackTrace}\n{walk.Describe()}");
            }

            foreach ((string what, int times) in walk.Reached)
            {
                reached[what] = reached.GetValueOrDefault(what) + times;
            }
        }

        output.WriteLine(string.Join(", ", reached));

        // A walk that never gets there would show nothing.
        string[] wanted = ["takeover StandbyTakesOver", "alone by PeerOutdated", "alone by ArbiterGrant"];
        foreach (string what in wanted)
        {
            Assert.True(reached.GetValueOrDefault(what) > 0, $"{what}: {string.Join(", ", reached)}");
        }
    }

    /// <summary>More of them by hand: FAILOVER_WALKS="first count".</summary>
    private static (int First, int Count) Range(int seed) =>
        Environment.GetEnvironmentVariable("FAILOVER_WALKS")?.Split(' ') is [string first, string count]
            ? (int.Parse(first, null) + (seed * int.Parse(count, null)), int.Parse(count, null))
            : (seed * Walks, Walks);
}
