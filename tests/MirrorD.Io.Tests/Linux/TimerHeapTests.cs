using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Tests.Linux;

public sealed class TimerHeapTests
{
    [Fact]
    public void Timers_of_any_order_and_removal_come_out_by_deadline_and_start()
    {
        var random = new Random(4);
        var heap = new TimerHeap();
        List<LoopOperation> expected = [];
        for (int i = 0; i < 5000; i++)
        {
            if (random.Next(4) == 0 && expected.Count > 0)
            {
                int victim = random.Next(expected.Count);
                heap.Remove(expected[victim]);
                expected.RemoveAt(victim);
                continue;
            }

            LoopOperation timer = LoopOperation.Of(new IoOperation(_ => { }));
            timer.DeadlineNs = random.Next(1000);
            heap.Add(timer);
            expected.Add(timer);
        }

        expected = [.. expected.OrderBy(timer => timer.DeadlineNs)]; // Stable: else as they were added.
        foreach (LoopOperation timer in expected)
        {
            Assert.Same(timer, heap.First);
            heap.Remove(timer);
        }

        Assert.Null(heap.First);
    }
}
