using MirrorD.Engine.Latency;

namespace MirrorD.Engine.Tests.Latency;

public class LatencyHistogramTests
{
    [Fact]
    public void Every_time_is_counted_below_the_next_bound_and_above_the_one_before()
    {
        for (int i = 0; i < LatencyHistogram.Counters - 1; i++)
        {
            long bound = LatencyHistogram.BoundNs(i);
            Assert.Equal(i, CounterOf(bound));
            Assert.Equal(i + 1, CounterOf(bound + 1));
        }
    }

    [Fact]
    public void The_scale_goes_from_a_microsecond_to_beyond_a_hundred_seconds_in_steps_of_a_quarter_at_most()
    {
        Assert.Equal(1_000, LatencyHistogram.BoundNs(0));
        Assert.InRange(LatencyHistogram.BoundNs(LatencyHistogram.Counters - 2), 100_000_000_000, 200_000_000_000);
        Assert.Equal(long.MaxValue, LatencyHistogram.BoundNs(LatencyHistogram.Counters - 1));
        for (int i = 4; i < LatencyHistogram.Counters - 1; i++)
        {
            Assert.InRange(LatencyHistogram.BoundNs(i) / (double)LatencyHistogram.BoundNs(i - 1), 1.1, 1.25);
        }
    }

    [Theory]
    [InlineData(long.MaxValue, LatencyHistogram.Counters - 1)]
    [InlineData(200_000_000_000, LatencyHistogram.Counters - 1)]
    [InlineData(0, 0)]
    [InlineData(-5, 0)]
    public void What_is_off_the_scale_is_counted_at_its_end(long tookNs, int counter) =>
        Assert.Equal(counter, CounterOf(tookNs));

    [Fact]
    public void Sum_and_counts_are_of_all_that_was_recorded()
    {
        var histogram = new LatencyHistogram();
        foreach (long tookNs in new long[] { 900, 16_000, 16_001, 5_000_000 })
        {
            histogram.Record(tookNs);
        }

        LatencySample sample = histogram.Take();
        Assert.Equal((5_032_901L, 4L, 2L), (sample.SumNs, sample.Total(), sample.CountUpTo(16_000)));
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        var histogram = new LatencyHistogram();
        histogram.Record(1);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100_000; i++)
        {
            histogram.Record(i * 977);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static int CounterOf(long tookNs)
    {
        var histogram = new LatencyHistogram();
        histogram.Record(tookNs);
        return histogram.Take().Counts.ToList().IndexOf(1);
    }
}
