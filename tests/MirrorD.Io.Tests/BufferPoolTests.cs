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
        using var pool = new BufferPool(20, 4096, ready: 4, elsewhere.Enqueue, HeapMemory.Instance);
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
        var pool = new BufferPool(8, 4096, ready: 1, elsewhere.Enqueue, HeapMemory.Instance);
        Rent(pool, 1);
        Action then = elsewhere.Dequeue()();
        pool.Dispose();
        then();
        Assert.Equal(7, pool.FreeSlots);
    }

    [Fact]
    public void What_was_not_needed_for_a_while_is_given_back_elsewhere()
    {
        var elsewhere = new Queue<Func<Action>>();
        using var pool = new BufferPool(16, 4096, ready: 2, elsewhere.Enqueue, HeapMemory.Instance);
        IoBuffer[] rented = Grow(pool, elsewhere);
        IoBuffer[] all = rented;
        Assert.Equal(16, all.Length);

        // As many as were in use since the last time are wanted again, also when they are free by now.
        pool.Trim();
        Array.ForEach(rented, pool.Return);
        pool.Trim();
        Assert.Empty(elsewhere);

        rented = Rent(pool, 3);
        pool.Trim();
        Assert.All(all, Touch);
        Assert.Equal(10, GoneAfter(elsewhere, all));
        Assert.All(rented, Touch);
        Assert.Equal(13, pool.FreeSlots);

        Array.ForEach(rented, pool.Return);
        pool.Trim();
        Assert.Empty(elsewhere);
        pool.Trim();
        Assert.Equal(14, GoneAfter(elsewhere, all));
        pool.Trim();
        Assert.Empty(elsewhere);

        // What is left serves, and the rest is made again when it is needed.
        rented = Grow(pool, elsewhere);
        Assert.Equal(16, rented.Length);
        Assert.All(rented, Touch);
    }

    [Fact]
    public void Slots_in_use_stay_as_long_as_they_are_and_none_goes_while_others_are_made()
    {
        var elsewhere = new Queue<Func<Action>>();
        using var pool = new BufferPool(16, 4096, ready: 1, elsewhere.Enqueue, HeapMemory.Instance);
        IoBuffer[] rented = Grow(pool, elsewhere);
        Array.ForEach(rented[3..], pool.Return);
        pool.Trim();
        pool.Trim();
        elsewhere.Dequeue()()();
        Assert.All(rented[..3], Touch);
        rented = [.. rented[..3], .. Rent(pool, 2)];
        Assert.Single(elsewhere);
        Array.ForEach(rented, pool.Return);
        for (int i = 0; i < 3; i++)
        {
            pool.Trim();
        }

        Assert.Single(elsewhere);
        Assert.All(rented, Touch);
    }

    /// <summary>Rents all slots; they are made meanwhile.</summary>
    private static IoBuffer[] Grow(BufferPool pool, Queue<Func<Action>> elsewhere)
    {
        var rented = new List<IoBuffer>();
        while (rented.Count < pool.Slots)
        {
            if (pool.TryRent(out IoBuffer? slot))
            {
                rented.Add(slot);
            }
            else
            {
                elsewhere.Dequeue()()();
            }
        }

        Assert.Empty(elsewhere);
        return [.. rented];
    }

    private static int GoneAfter(Queue<Func<Action>> elsewhere, IoBuffer[] slots)
    {
        Assert.Single(elsewhere);
        elsewhere.Dequeue()()();
        return slots.Count(IsGone);
    }

    private static void Touch(IoBuffer slot) => slot.Span[0] = 1;

    private static bool IsGone(IoBuffer slot)
    {
        try
        {
            Touch(slot);
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private static IoBuffer[] Rent(BufferPool pool, int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        Assert.True(pool.TryRent(out IoBuffer? slot));
        return slot;
    })];
}
