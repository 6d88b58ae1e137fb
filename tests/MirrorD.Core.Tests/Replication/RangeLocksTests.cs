using MirrorD.Core.Replication;

namespace MirrorD.Core.Tests.Replication;

public class RangeLocksTests
{
    private readonly RangeLocks _locks = new();

    [Fact]
    public void Ranges_that_touch_without_overlapping_are_held_together()
    {
        Assert.True(_locks.TryAcquire(new User(0, 0, 4096)));
        Assert.True(_locks.TryAcquire(new User(0, 4096, 4096)));
        Assert.Equal(2, _locks.HeldCount);
    }

    [Fact]
    public void The_same_range_of_another_volume_is_another_range()
    {
        Assert.True(_locks.TryAcquire(new User(0, 0, 4096)));
        Assert.True(_locks.TryAcquire(new User(1, 0, 4096)));
    }

    [Fact]
    public void An_overlap_of_one_byte_waits_until_the_holder_is_done()
    {
        var first = new User(0, 0, 4096);
        var second = new User(0, 4095, 4096);
        Assert.True(_locks.TryAcquire(first));
        Assert.False(_locks.TryAcquire(second));
        Assert.Equal([second], Released(first));
        Assert.Equal(0, _locks.WaitingCount);
    }

    [Fact]
    public void Nobody_overtakes_an_earlier_waiter_that_he_overlaps()
    {
        var holder = new User(0, 0, 4096);
        var waiter = new User(0, 0, 8192);
        var later = new User(0, 4096, 4096);
        _locks.TryAcquire(holder);
        Assert.False(_locks.TryAcquire(waiter));
        Assert.False(_locks.TryAcquire(later));
        Assert.Equal([waiter], Released(holder));
        Assert.Equal([later], Released(waiter));
    }

    [Fact]
    public void All_that_waited_for_one_range_and_do_not_overlap_go_on_together_in_order()
    {
        var holder = new User(0, 0, 1 << 20);
        var second = new User(0, 8192, 4096);
        var third = new User(0, 0, 4096);
        _locks.TryAcquire(holder);
        _locks.TryAcquire(second);
        _locks.TryAcquire(third);
        Assert.Equal([second, third], Released(holder));
    }

    [Fact]
    public void Waiters_are_taken_out_in_order_and_holders_stay()
    {
        var holder = new User(0, 0, 4096);
        var second = new User(0, 0, 4096);
        var third = new User(0, 0, 4096);
        _locks.TryAcquire(holder);
        _locks.TryAcquire(second);
        _locks.TryAcquire(third);
        var taken = new List<IRangeUser>();
        _locks.TakeWaiting(taken);
        Assert.Equal([second, third], taken);
        Assert.Equal(0, _locks.WaitingCount);
        Assert.Empty(Released(holder));
        Assert.Equal(0, _locks.HeldCount);
    }

    [Fact]
    public void A_range_is_released_only_by_its_holder()
    {
        var holder = new User(0, 0, 4096);
        _locks.TryAcquire(holder);
        Assert.Throws<InvariantViolation>(() => Released(new User(0, 0, 4096)));
        Released(holder);
        Assert.Throws<InvariantViolation>(() => Released(holder));
    }

    private List<IRangeUser> Released(IRangeUser user)
    {
        var ready = new List<IRangeUser>();
        _locks.Release(user, ready);
        return ready;
    }

    private sealed class User(int volume, long offset, long lengthBytes) : IRangeUser
    {
        public int Volume => volume;

        public long Offset => offset;

        public long LengthBytes => lengthBytes;
    }
}
