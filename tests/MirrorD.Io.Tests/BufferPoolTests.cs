namespace MirrorD.Io.Tests;

public sealed class BufferPoolTests
{
    [Fact]
    public void Whoever_is_told_of_a_slot_may_return_others_and_everybody_is_told_once()
    {
        using var pool = new BufferPool(2, 4096);
        Assert.True(pool.TryRent(out IoBuffer? one));
        Assert.True(pool.TryRent(out IoBuffer? other));
        var told = new List<string>();
        pool.WhenReturned(() =>
        {
            told.Add("first");
            pool.Return(other);
        });
        pool.WhenReturned(() => told.Add("second"));
        pool.Return(one);
        Assert.Equal(["first", "second"], told);
        Assert.Equal(2, pool.FreeSlots);
    }

    [Fact]
    public void Whoever_waits_again_is_told_by_the_next_one()
    {
        using var pool = new BufferPool(1, 4096);
        int told = 0;
        void Wait() => pool.WhenReturned(() =>
        {
            told++;
            Wait();
        });
        Wait();
        for (int round = 1; round <= 3; round++)
        {
            Assert.True(pool.TryRent(out IoBuffer? slot));
            pool.Return(slot);
            Assert.Equal(round, told);
        }
    }

    [Fact]
    public void Slots_are_made_when_most_of_those_there_are_in_use_and_those_who_wait_are_told()
    {
        var elsewhere = new Queue<Func<Action>>();
        using var pool = new BufferPool(20, 4096, ready: 4, elsewhere.Enqueue);
        Assert.Equal((20, 20), (pool.FreeSlots, pool.Slots));
        Rent(pool, 2);
        Assert.Empty(elsewhere);
        Rent(pool, 1);
        Func<Action> work = Assert.Single(elsewhere);

        // Who asks meanwhile gets what is there, and waits for the rest; nothing is asked for twice.
        Rent(pool, 1);
        Assert.False(pool.TryRent(out _));
        Assert.Equal(16, pool.FreeSlots);
        int told = 0;
        pool.WhenReturned(() => told++);
        Action then = work();
        Assert.False(pool.TryRent(out _));
        then();
        Assert.Equal(1, told);
        elsewhere.Clear();

        // As many again as there are, and no more than there may be.
        IoBuffer[] others = Rent(pool, 4);
        foreach (int more in (int[])[8, 4])
        {
            elsewhere.Dequeue()()();
            others = [.. others, .. Rent(pool, more)];
        }

        Assert.Equal(0, pool.FreeSlots);
        Assert.False(pool.TryRent(out _));
        Assert.Empty(elsewhere);
        Array.ForEach(others, pool.Return);
        Assert.Equal(16, pool.FreeSlots);
    }

    [Fact]
    public void Slots_that_come_when_the_pool_is_gone_are_given_back()
    {
        var elsewhere = new Queue<Func<Action>>();
        var pool = new BufferPool(8, 4096, ready: 1, elsewhere.Enqueue);
        Rent(pool, 1);
        Action then = elsewhere.Dequeue()();
        pool.Dispose();
        then();
        Assert.Equal(7, pool.FreeSlots);
    }

    private static IoBuffer[] Rent(BufferPool pool, int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        Assert.True(pool.TryRent(out IoBuffer? slot));
        return slot;
    })];
}
