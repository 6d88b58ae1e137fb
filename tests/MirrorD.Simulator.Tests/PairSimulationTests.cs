namespace MirrorD.Simulator.Tests;

public class PairSimulationTests
{
    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        Assert.Equal(Trace(3), Trace(3));
    }

    private static List<string> Trace(ulong seed)
    {
        List<string> lines = [];
        Seeds.RunOne(seed, lines.Add);
        return lines;
    }
}
