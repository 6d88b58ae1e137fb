using MirrorD.Engine.Disks;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Disks;

/// <summary>Operations on disks that don't answer.</summary>
public class DeadlineLoopTests
{
    private const int Ticks = 3;

    private readonly SimulatedWorld _world = new(1);
    private readonly SimulatedDisk _disk;
    private readonly SimulatedDisk _other;
    private readonly DeadlineLoop _loop;
    private readonly IoBuffer _buffer = new(8192);
    private readonly List<(OperationKind Kind, int Result)> _ended = [];

    public DeadlineLoopTests()
    {
        _disk = _world.CreateDisk("a", "disk", 1 << 20);
        _other = _world.CreateDisk("a", "other", 1 << 20);
        _loop = new DeadlineLoop(_world.CreateLoop("a"), Ticks);
    }

    private IoOperation Operation() => new(operation => _ended.Add((operation.Kind, operation.Result)));

    private void Run() => _world.RunUntil(() => false, 1_000_000_000);

    private void TickUntilGivenUp()
    {
        for (int tick = 0; tick <= Ticks; tick++)
        {
            Assert.Empty(_ended);
            _loop.Tick();
        }
    }

    [Fact]
    public void A_disk_that_answers_is_as_without()
    {
        _buffer.Span.Fill(7);
        _loop.Write(_disk, 4096, _buffer.Slice(0, 4096), false, Operation());
        Run();
        _loop.Read(_disk, 4096, _buffer.Slice(4096, 4096), Operation());
        _loop.Flush(_disk, Operation());
        Run();
        Assert.Equal([0, 4096, 4096], _ended.Select(each => each.Result).Order());
    }

    [Fact]
    public void It_tells_when_ticks_are_needed_again()
    {
        int begun = 0;
        var loop = new DeadlineLoop(_world.CreateLoop("a"), Ticks, () => begun++);
        loop.Flush(_disk, Operation());
        loop.Flush(_disk, Operation());
        Assert.Equal((1, false), (begun, loop.IsIdle));
        Run();
        Assert.Equal((2, true), (_ended.Count, loop.IsIdle));
        loop.Flush(_disk, Operation());
        Assert.Equal((2, false), (begun, loop.IsIdle));
    }

    [Fact]
    public void All_that_a_disk_has_is_given_up_together_and_other_disks_go_on()
    {
        _disk.Hangs = true;
        _loop.Flush(_disk, Operation());
        _loop.Tick();
        _loop.Read(_disk, 0, _buffer.Slice(0, 4096), Operation());
        _loop.Tick();
        _loop.Tick();
        Assert.Empty(_ended);
        _loop.Tick();
        Assert.Equal([(OperationKind.Flush, -Errno.ETIMEDOUT), (OperationKind.Read, -Errno.ETIMEDOUT)], _ended);
        _ended.Clear();
        _loop.Flush(_other, Operation());
        Run();
        Assert.Equal([(OperationKind.Flush, 0)], _ended);
    }

    [Fact]
    public void What_is_given_up_keeps_its_memory_and_the_buffer_goes_on_with_another()
    {
        _buffer.Span.Fill(7);
        _disk.Hangs = true;
        _loop.Write(_disk, 0, _buffer.Slice(0, 4096), false, Operation());
        _loop.Read(_disk, 4096, _buffer.Slice(4096, 4096), Operation());
        Run();
        TickUntilGivenUp();
        Assert.True(_buffer.Span.IndexOfAnyExcept((byte)7) < 0, "contents are kept");
        _buffer.Span.Fill(9);
        _disk.Hangs = false;
        Run();
        byte[] written = new byte[4096];
        _disk.Peek(0, written);
        Assert.All(written, b => Assert.Equal(7, b));
        Assert.True(_buffer.Span.IndexOfAnyExcept((byte)9) < 0, "a late read changes nothing");
    }

    [Fact]
    public void A_disk_takes_nothing_until_the_last_of_what_was_given_up_has_ended()
    {
        _disk.Hangs = true;
        _loop.Flush(_disk, Operation());
        _loop.Read(_disk, 0, _buffer.Slice(0, 4096), Operation());
        Run();
        TickUntilGivenUp();
        Assert.Equal(2, _loop.GivenUp);
        _ended.Clear();
        _loop.Flush(_disk, Operation());
        Assert.Empty(_ended);
        Run();
        Assert.Equal([(OperationKind.Flush, -Errno.ETIMEDOUT)], _ended);
        _disk.Hangs = false;
        Run();
        Assert.Equal(0, _loop.GivenUp);
        _ended.Clear();
        _loop.Flush(_disk, Operation());
        Run();
        Assert.Equal([(OperationKind.Flush, 0)], _ended);
    }

    [Fact]
    public void The_watch_over_an_operation_allocates_nothing()
    {
        var memory = new MemoryLoop();
        var loop = new DeadlineLoop(memory, Ticks);
        int ended = 0;
        IoOperation[] operations = [.. Enumerable.Range(0, 16).Select(_ => new IoOperation(_ => ended++))];
        void Round()
        {
            foreach (IoOperation operation in operations)
            {
                loop.Write(memory, 0, _buffer.Slice(0, 4096), false, operation);
            }

            loop.Tick();
            memory.Drain();
        }

        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int round = 0; round < 1000; round++)
        {
            Round();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(16 * 1001, ended);
        Assert.True(allocated < 16_000, $"{allocated} bytes for 16,000 operations");
    }
}
