using MirrorD.Core.Resync;

namespace MirrorD.Core.Tests.Resync;

/// <summary>What the rate of a resync does when clients' requests get slower, faster, or end.</summary>
public class ResyncRateTests
{
    private const long Mebibyte = 1 << 20;
    private const long Millisecond = 1_000_000;
    private const long Second = 1_000_000_000;

    [Fact]
    public void Without_a_floor_the_rate_is_the_ceiling_whatever_clients_do()
    {
        var run = new Run(0, 50 * Mebibyte);
        run.Go(20, latencyNs: 500 * Millisecond);
        Assert.Equal(50 * Mebibyte, run.Rate.BytesPerSecond);
        Assert.InRange(run.Copied, 90 * Mebibyte, 151 * Mebibyte);
    }

    [Fact]
    public void Without_floor_and_ceiling_nothing_is_counted()
    {
        var rate = new ResyncRate(0, 0);
        rate.Begin(0);
        rate.Started(1L << 50);
        Assert.True(rate.Allows(0, 5, 0));
    }

    [Fact]
    public void It_reaches_the_ceiling_within_a_second_while_there_are_no_clients()
    {
        var run = new Run(4 * Mebibyte, 400 * Mebibyte);
        run.Go(10, latencyNs: 0);
        Assert.Equal(400 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void It_rises_while_clients_do_not_notice_it()
    {
        var run = new Run(4 * Mebibyte, 100 * Mebibyte);
        run.Go(30, latencyNs: 2 * Millisecond);
        Assert.Equal(100 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void It_is_back_at_the_floor_within_a_second_when_requests_take_three_times_as_long()
    {
        var run = new Run(4 * Mebibyte, 400 * Mebibyte);
        run.Go(30, latencyNs: 2 * Millisecond);
        Assert.Equal(400 * Mebibyte, run.Rate.BytesPerSecond);
        run.Go(8, latencyNs: 6 * Millisecond);
        Assert.Equal(4 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void A_few_that_take_much_longer_slow_it_down_though_the_average_hardly_shows_them()
    {
        var run = new Run(4 * Mebibyte, 400 * Mebibyte);
        run.Go(30, Millisecond, requests: 200);
        Assert.Equal(400 * Mebibyte, run.Rate.BytesPerSecond);

        // One in 33 takes four times as long, the average a tenth more.
        run.Go(8, Millisecond, requests: 200, slow: 6, slowNs: 4 * Millisecond);
        Assert.Equal(4 * Mebibyte, run.Rate.BytesPerSecond);

        // One in 100 is none of the slowest one in 64, and a load that always had slow ones is not slowed for them.
        run = new Run(4 * Mebibyte, 400 * Mebibyte);
        run.Go(30, Millisecond, requests: 200, slow: 2, slowNs: 4 * Millisecond);
        Assert.Equal(400 * Mebibyte, run.Rate.BytesPerSecond);
        run = new Run(4 * Mebibyte, 400 * Mebibyte);
        run.Go(30, Millisecond, requests: 200, slow: 6, slowNs: 4 * Millisecond);
        Assert.Equal(400 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void Where_requests_are_few_one_that_is_slow_says_nothing()
    {
        var run = new Run(4 * Mebibyte, 100 * Mebibyte);
        run.Go(30, 2 * Millisecond, requests: 20);
        run.Go(30, 2 * Millisecond, requests: 20, slow: 1, slowNs: 8 * Millisecond);
        Assert.Equal(100 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void Requests_that_do_not_get_through_at_all_slow_it_down_as_well()
    {
        var run = new Run(4 * Mebibyte, 400 * Mebibyte);
        run.Go(10, latencyNs: 0);
        run.Go(8, latencyNs: 0, waiting: 1);
        Assert.Equal(4 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void It_settles_where_requests_take_twice_as_long_and_not_at_either_end()
    {
        // A disk on which each MiB/s of resync costs every request 50 us.
        var run = new Run(4 * Mebibyte, 400 * Mebibyte);
        long sum = 0;
        for (int i = 0; i < 400; i++)
        {
            run.Go(1, Millisecond + run.Rate.BytesPerSecond / Mebibyte * 50_000);
            sum += i < 100 ? 0 : run.Rate.BytesPerSecond;
        }

        Assert.InRange(sum / 300, 10 * Mebibyte, 60 * Mebibyte);
    }

    [Fact]
    public void Where_it_was_felt_it_comes_seldom()
    {
        var run = new Run(4 * Mebibyte, 400 * Mebibyte);
        int felt = 0;
        long sum = 0;
        for (int i = 0; i < 1000; i++)
        {
            // Above 50 MiB/s all of a sudden, as a processor that has no time left.
            bool isFelt = run.Rate.BytesPerSecond > 50 * Mebibyte;
            felt += isFelt ? 1 : 0;
            sum += run.Rate.BytesPerSecond;
            run.Go(1, isFelt ? 5 * Millisecond : Millisecond);
        }

        Assert.InRange(felt, 1, 100);
        Assert.InRange(sum / 1000, 35 * Mebibyte, 50 * Mebibyte);
    }

    [Fact]
    public void A_load_that_became_slower_by_itself_is_learned_anew()
    {
        var run = new Run(4 * Mebibyte, 100 * Mebibyte);
        run.Go(30, latencyNs: 1 * Millisecond);
        run.Go(100, latencyNs: 8 * Millisecond);
        Assert.Equal(100 * Mebibyte, run.Rate.BytesPerSecond);
    }

    [Fact]
    public void Every_ten_seconds_it_looks_how_long_requests_take_without_it()
    {
        var run = new Run(4 * Mebibyte, 100 * Mebibyte);
        run.Go(50, latencyNs: 2 * Millisecond);
        int before = run.Pauses;
        for (int i = 0; i < 450; i++)
        {
            run.Go(1, latencyNs: 2 * Millisecond);
            Assert.Equal(100 * Mebibyte, run.Rate.BytesPerSecond);
        }

        Assert.InRange(run.Pauses - before, 4, 5);
    }

    [Theory]
    [InlineData(40)]
    [InlineData(90)]
    [InlineData(150)]
    public void What_the_floor_itself_costs_is_not_taken_for_what_requests_take_by_themselves(int copyMs)
    {
        // Requests take ten times as long while a copy is under way: no more than the floor is copied.
        var rate = new ResyncRate(4 * Mebibyte, 400 * Mebibyte);
        rate.Begin(0);
        long copied = 0;
        long copyUntil = 0;
        for (long now = 0; now < 30 * Second; now += 10 * Millisecond)
        {
            for (int i = 0; i < 10; i++)
            {
                rate.Finished(now - (now < copyUntil ? 10 * Millisecond : Millisecond), now);
            }

            while (rate.Allows(now, 0, now < copyUntil ? 1 : 0))
            {
                rate.Started(Run.CopyBytes);
                copied += Run.CopyBytes;
                copyUntil = now + (copyMs * Millisecond);
            }
        }

        Assert.InRange(copied, 27 * 4 * Mebibyte, 31 * 4 * Mebibyte);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(300)]
    public void A_request_now_and_then_is_enough_to_learn_from(int everyMs)
    {
        var rate = new ResyncRate(4 * Mebibyte, 100 * Mebibyte);
        rate.Begin(0);
        for (long ms = 0; ms < 20_000; ms += 10)
        {
            long now = ms * Millisecond;
            if (ms % everyMs == 0)
            {
                rate.Finished(now - (2 * Millisecond), now);
            }

            while (rate.Allows(now, 0, 0))
            {
                rate.Started(Run.CopyBytes);
            }
        }

        Assert.Equal((2 * Millisecond, 100 * Mebibyte), (rate.UndisturbedNs, rate.BytesPerSecond));
    }

    [Fact]
    public void Of_what_was_begun_before_the_last_copy_ended_nothing_is_learned()
    {
        var rate = new ResyncRate(4 * Mebibyte, 100 * Mebibyte);
        rate.Begin(0);
        rate.Finished(0, 50 * Millisecond);
        Assert.False(rate.Allows(ResyncRate.IntervalNs, 1, 1));

        // A copy is still under way for an interval, then one more request that waited for it ends.
        rate.Finished(150 * Millisecond, 190 * Millisecond);
        Assert.False(rate.Allows(200 * Millisecond, 1, 1));
        Assert.False(rate.Allows(210 * Millisecond, 1, 0));
        rate.Finished(200 * Millisecond, 240 * Millisecond);
        rate.Finished(250 * Millisecond, 253 * Millisecond);
        Assert.Equal(0, rate.UndisturbedNs);
        rate.Allows(310 * Millisecond, 1, 0);
        Assert.Equal(3 * Millisecond, rate.UndisturbedNs);
    }

    [Fact]
    public void A_flush_of_copies_that_begins_while_it_learns_is_waited_for_as_well()
    {
        var rate = new ResyncRate(4 * Mebibyte, 100 * Mebibyte);
        rate.Begin(0);
        rate.Finished(0, 50 * Millisecond);
        Assert.False(rate.Allows(ResyncRate.IntervalNs, 1, 0));
        Assert.False(rate.Allows(110 * Millisecond, 1, 0));
        rate.Finished(120 * Millisecond, 150 * Millisecond);
        Assert.False(rate.Allows(160 * Millisecond, 1, 1));
        rate.Finished(130 * Millisecond, 180 * Millisecond);
        Assert.False(rate.Allows(190 * Millisecond, 1, 0));
        rate.Finished(200 * Millisecond, 203 * Millisecond);
        rate.Allows(290 * Millisecond, 1, 0);
        Assert.Equal(3 * Millisecond, rate.UndisturbedNs);
    }

    [Fact]
    public void A_rate_that_the_disks_do_not_reach_is_not_raised()
    {
        var rate = new ResyncRate(4 * Mebibyte, 0);
        rate.Begin(0);
        for (long now = 0; now < 10 * Second; now += ResyncRate.IntervalNs)
        {
            // One MiB in each tenth of a second is all there is.
            rate.Allows(now, 0, 0);
            rate.Started(Mebibyte);
        }

        Assert.InRange(rate.BytesPerSecond, 4 * Mebibyte, 40 * Mebibyte);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_clients_do_it_stays_between_floor_and_ceiling_and_copies_no_more_than_it_says(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 300; round++)
        {
            long floor = random.NextInt64(128 * 1024, 20 * Mebibyte);
            long ceiling = random.Next(4) == 0 ? 0 : random.NextInt64(128 * 1024, 400 * Mebibyte);
            long most = ceiling == 0 ? long.MaxValue : ceiling;
            var run = new Run(floor, ceiling);
            for (int i = 0; i < 60; i++)
            {
                long before = run.Copied;
                long fastest = run.Rate.BytesPerSecond;
                run.Go(1, random.Next(3) == 0 ? 0 : random.NextInt64(1, Second), random.Next(3));
                fastest = Math.Max(fastest, run.Rate.BytesPerSecond);
                Assert.InRange(run.Rate.BytesPerSecond, Math.Min(floor, most), most);
                Assert.True(run.Copied - before <= fastest * 0.41 + Run.CopyBytes,
                    $"{run.Copied - before} bytes in a tenth of a second at {fastest} bytes per second");
            }

            // Never below the floor: what was saved up and not used is at most two intervals, and it learned for so long.
            Assert.True(run.Copied >= Math.Min(floor, most) * (6 - 0.4 - 0.6) - Run.CopyBytes, $"{run.Copied} bytes in 6 s from {floor}");
        }
    }

    /// <summary>A resync that copies as much as it may, looked at every 10 ms.</summary>
    private sealed class Run
    {
        public const long CopyBytes = 128 * 1024;

        private long _nowNs;
        private long _lastCopyNs;

        public Run(long floor, long ceiling)
        {
            Rate = new ResyncRate(floor, ceiling);
            Rate.Begin(0);
        }

        public ResyncRate Rate { get; }

        public long Copied { get; private set; }

        /// <summary>How often no copy began for an interval.</summary>
        public int Pauses { get; private set; }

        /// <summary>
        /// So many tenths of a second in which requests take so long (0: there are none), so many in each, some of them slow.
        /// </summary>
        public void Go(
            int intervals, long latencyNs, int waiting = 0, int requests = 10, int slow = 0, long slowNs = 0)
        {
            for (int step = 0; step < intervals * 10; step++)
            {
                _nowNs += ResyncRate.IntervalNs / 10;
                for (int i = 0; i < requests / 10 && latencyNs > 0; i++)
                {
                    bool isSlow = ((step % 10) * (requests / 10)) + i < slow;
                    Rate.Finished(_nowNs - (isSlow ? slowNs : latencyNs), _nowNs);
                }

                while (Rate.Allows(_nowNs, waiting, 0) && Copied < 1L << 50)
                {
                    Rate.Started(CopyBytes);
                    Copied += CopyBytes;
                    Pauses += _nowNs - _lastCopyNs >= ResyncRate.IntervalNs ? 1 : 0;
                    _lastCopyNs = _nowNs;
                }
            }
        }
    }
}
