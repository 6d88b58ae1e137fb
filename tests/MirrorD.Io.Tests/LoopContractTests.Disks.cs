namespace MirrorD.Io.Tests;

public abstract partial class LoopContractTests
{
    [Fact]
    public void What_was_written_is_read_back()
    {
        IDisk disk = Disk();
        BufferSlice data = Buffer(8192);
        new Random(1).NextBytes(data.Span);
        BufferSlice back = Buffer(8192);

        Assert.Equal(8192, Do(operation => Loop.Write(disk, 4096, data, false, operation)));
        Assert.Equal(8192, Do(operation => Loop.Read(disk, 4096, back, operation)));

        Assert.True(data.Span.SequenceEqual(back.Span));
    }

    [Fact]
    public void A_fresh_disk_reads_as_zeroes()
    {
        BufferSlice back = Buffer(65536, 0xff);
        Assert.Equal(65536, Do(operation => Loop.Read(Disk(), 0, back, operation)));
        Assert.Equal(-1, back.Span.IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void A_durable_write_is_read_back_like_any_other()
    {
        IDisk disk = Disk();
        BufferSlice back = Buffer(4096);
        Assert.Equal(4096, Do(operation => Loop.Write(disk, 0, Buffer(4096, 7), true, operation)));
        Assert.Equal(4096, Do(operation => Loop.Read(disk, 0, back, operation)));
        Assert.Equal(-1, back.Span.IndexOfAnyExcept((byte)7));
    }

    [Fact]
    public void Access_beyond_the_end_is_refused_and_changes_nothing()
    {
        IDisk disk = Disk(65536);
        BufferSlice two = Buffer(8192, 1);
        Assert.Equal(-Errno.EINVAL, Do(operation => Loop.Read(disk, 65536 - 4096, two, operation)));
        Assert.Equal(-Errno.EINVAL, Do(operation => Loop.Read(disk, 65536, two, operation)));
        Assert.Equal(-Errno.EINVAL, Do(operation => Loop.Write(disk, 65536 - 4096, two, false, operation)));
        Assert.Equal(-Errno.EINVAL, Do(operation => Loop.Zero(disk, 65536 - 4096, 8192, false, operation)));

        BufferSlice last = Buffer(4096, 9);
        Assert.Equal(4096, Do(operation => Loop.Read(disk, 65536 - 4096, last, operation)));
        Assert.Equal(-1, last.Span.IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void A_flush_completes_with_zero()
    {
        IDisk disk = Disk();
        Do(operation => Loop.Write(disk, 0, Buffer(4096, 1), false, operation));
        Assert.Equal(0, Do(operation => Loop.Flush(disk, operation)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_zeroed_range_reads_as_zeroes_and_its_neighbours_stay(bool mayUnmap)
    {
        IDisk disk = Disk();
        Do(operation => Loop.Write(disk, 0, Buffer(16384, 5), false, operation));
        Assert.Equal(0, Do(operation => Loop.Zero(disk, 4096, 8192, mayUnmap, operation)));

        BufferSlice back = Buffer(16384);
        Do(operation => Loop.Read(disk, 0, back, operation));
        Assert.Equal(-1, back.Span[..4096].IndexOfAnyExcept((byte)5));
        Assert.Equal(-1, back.Span[4096..12288].IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, back.Span[12288..].IndexOfAnyExcept((byte)5));
    }

    [Fact]
    public void A_discard_leaves_its_neighbours_as_they_are()
    {
        IDisk disk = Disk();
        Do(operation => Loop.Write(disk, 0, Buffer(16384, 5), false, operation));
        int result = Do(operation => Loop.Discard(disk, 4096, 8192, operation));
        Assert.Equal(disk.CanDiscard ? 0 : -Errno.EOPNOTSUPP, result);

        BufferSlice back = Buffer(16384);
        Do(operation => Loop.Read(disk, 0, back, operation));
        Assert.Equal(-1, back.Span[..4096].IndexOfAnyExcept((byte)5));
        Assert.Equal(-1, back.Span[12288..].IndexOfAnyExcept((byte)5));
    }

    [Fact]
    public void Allocation_is_told_run_by_run_and_never_calls_data_a_hole()
    {
        IDisk disk = Disk();
        Do(operation => Loop.Write(disk, 262144, Buffer(65536, 5), false, operation));
        Do(operation => Loop.Flush(disk, operation));
        BufferSlice back = Buffer(1 << 20);
        Do(operation => Loop.Read(disk, 0, back, operation));

        for (long at = 0; at < disk.LengthBytes;)
        {
            Probe query = NewProbe();
            Loop.QueryAllocation(disk, at, disk.LengthBytes - at, query.Operation);
            RunUntilDone(query);
            Assert.InRange(query.Result, 1, disk.LengthBytes - at);
            if (query.Operation.IsHole)
            {
                Assert.Equal(-1, back.Span.Slice((int)at, query.Result).IndexOfAnyExcept((byte)0));
            }

            at += query.Result;
        }
    }

    [Fact]
    public void Many_disk_operations_may_be_pending_at_once()
    {
        IDisk disk = Disk(4 << 20);
        List<Probe> writes = [];
        for (int i = 0; i < 256; i++)
        {
            Probe write = NewProbe();
            writes.Add(write);
            Loop.Write(disk, i * 4096L, Buffer(4096, (byte)i), i % 5 == 0, write.Operation);
        }

        RunUntilDone([.. writes]);
        Assert.All(writes, write => Assert.Equal(4096, write.Result));
        BufferSlice back = Buffer(256 * 4096);
        Do(operation => Loop.Read(disk, 0, back, operation));
        for (int i = 0; i < 256; i++)
        {
            Assert.Equal(-1, back.Span.Slice(i * 4096, 4096).IndexOfAnyExcept((byte)i));
        }
    }

    [Fact]
    public void An_operation_can_be_submitted_again_from_its_own_completion()
    {
        IDisk disk = Disk();
        BufferSlice data = Buffer(4096, 3);
        Probe? write = null;
        write = NewProbe(probe =>
        {
            if (probe.Completions < 50)
            {
                Loop.Write(disk, probe.Completions * 4096L, data, false, probe.Operation);
            }
        });
        Loop.Write(disk, 0, data, false, write.Operation);
        RunUntil(() => write.Completions == 50, "50 writes in a row");
    }

    [Fact]
    public void Nothing_completes_before_its_submission_returns_or_outside_Run()
    {
        IDisk disk = Disk();
        (IConnection client, _) = ConnectedPair();
        Probe[] all = [.. Enumerable.Range(0, 6).Select(_ => NewProbe())];

        Loop.Write(disk, 0, Buffer(4096), false, all[0].Operation);
        Loop.Read(disk, 1 << 20, Buffer(4096), all[1].Operation);
        Loop.Flush(disk, all[2].Operation);
        Loop.Send(client, Buffer(16), all[3].Operation);
        Loop.StartTimer(0, all[4].Operation);
        Loop.Discard(disk, 0, 4096, all[5].Operation);

        Assert.All(all, probe => Assert.Equal(0, probe.Completions));
        Assert.All(all, probe => Assert.True(probe.Operation.IsPending));
        RunUntilDone(all);
        Assert.All(all, probe => Assert.Equal(1, probe.Completions));
    }
}
