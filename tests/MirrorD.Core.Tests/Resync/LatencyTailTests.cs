using MirrorD.Core.Resync;

namespace MirrorD.Core.Tests.Resync;

/// <summary>The slowest are told to an eighth, whatever they took.</summary>
public class LatencyTailTests
{
    [Fact]
    public void What_one_took_is_told_rounded_up_to_an_eighth()
    {
        for (long took = 0; took < 1_000_000_000_000; took = (took * 21 / 20) + 333)
        {
            var tail = new LatencyTail();
            tail.Add(took);
            Assert.InRange(tail.SlowestNs(0), took, took + 1000 + (took / 8));
            Assert.Equal(0, tail.SlowestNs(1));
        }
    }

    [Fact]
    public void The_slowest_are_left_out_as_many_as_are_asked_for()
    {
        var tail = new LatencyTail();
        for (int i = 1; i <= 100; i++)
        {
            tail.Add(i * 1_000_000);
        }

        Assert.InRange(tail.SlowestNs(0), 100_000_000, 112_500_000);
        Assert.InRange(tail.SlowestNs(49), 51_000_000, 57_500_000);
        tail.Clear();
        Assert.Equal(0, tail.SlowestNs(0));
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(-1)]
    public void What_no_clock_should_show_is_counted_all_the_same(long took)
    {
        var tail = new LatencyTail();
        tail.Add(took);
        Assert.NotEqual(0, tail.SlowestNs(0));
    }
}
