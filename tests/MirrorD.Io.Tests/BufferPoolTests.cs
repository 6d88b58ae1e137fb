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
}
