using MirrorD.Core.Volumes;
using MirrorD.Engine.Nbd;
using MirrorD.Formats.Nbd;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Nbd;

public sealed class TransmissionTests
{
    private const int Slot = 128 << 10;

    [Theory]
    [InlineData(true, 512)]
    [InlineData(true, 4096)]
    [InlineData(true, 16 << 10)]
    [InlineData(true, (16 << 10) + 512)]
    [InlineData(true, Slot)]
    [InlineData(true, Slot + 512)]
    [InlineData(true, Slot + (12 << 10))]
    [InlineData(true, (5 << 20) + 1024)]
    [InlineData(true, 32 << 20)]
    [InlineData(false, 512)]
    [InlineData(false, 16 << 10)]
    [InlineData(false, (16 << 10) + 512)]
    [InlineData(false, Slot)]
    [InlineData(false, Slot + 512)]
    [InlineData(false, 8 * Slot)]
    [InlineData(false, (8 * Slot) + 512)]
    [InlineData(false, 32 << 20)]
    public void What_was_written_is_read_back_in_every_size(bool structured, int bytes)
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(structured);
        byte[] data = Pattern(bytes, 1);
        Assert.Equal(NbdError.None, client.Write(1024, data));
        Assert.Equal(data, world.DiskBytesAt(1024, bytes));
        Assert.Equal(data, client.Read(1024, bytes));
        client.Send(NbdCommand.Disconnect);
        world.UntilEmpty();
    }

    [Fact]
    public void A_large_write_goes_to_the_volume_in_pieces_of_a_slot()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        var pieces = new List<(long Offset, long Length, bool Durable)>();
        world.Volume.Submitted = io => pieces.Add((io.Offset, io.LengthBytes, io.ForceUnitAccess));
        client.Write(4096, Pattern((2 * Slot) + 512, 1), NbdCommandFlags.ForceUnitAccess);
        Assert.Equal([(4096, Slot, true), (4096 + Slot, Slot, true), (4096 + (2 * Slot), 512, true)], pieces);
    }

    [Fact]
    public void Structured_reads_are_answered_out_of_order_and_in_chunks()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        byte[] data = Pattern(4 * Slot, 3);
        client.Write(0, data);
        world.Volume.Holds = true;
        ulong large = client.Send(NbdCommand.Read, 0, 4 * Slot);
        ulong small = client.Send(NbdCommand.Cache, 0, 512);
        Assert.Equal(small, client.TakeAnswer().Cookie);
        world.Volume.Release();
        Answer answer = client.TakeAnswer();
        Assert.Equal(large, answer.Cookie);
        Assert.Equal(4, answer.Chunks.Count);
        Assert.Equal(data, answer.Data);
    }

    [Fact]
    public void A_read_with_DF_comes_in_one_chunk_or_not_at_all()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        Answer whole = client.Call(NbdCommand.Read, 512, Slot, NbdCommandFlags.DontFragment);
        Assert.Equal(Slot, Assert.Single(whole.Chunks).Value.Length);
        Answer refused = client.Call(NbdCommand.Read, 512, Slot + 512, NbdCommandFlags.DontFragment);
        Assert.Equal(NbdError.Overflow, refused.Error);
        Assert.Empty(refused.Chunks);
    }

    [Fact]
    public void A_large_read_keeps_only_a_bounded_number_of_slots_busy()
    {
        using var world = new NbdWorld(slots: 64);
        NbdClient client = world.Open();
        client.Read(0, 32 << 20);
        Assert.Equal(16, world.Volume.MostInFlight);
    }

    [Fact]
    public void FUA_and_FLUSH_make_writes_survive_a_power_cut()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        byte[] one = Pattern(4096, 1);
        byte[] two = Pattern(4096, 2);
        client.Write(0, one, NbdCommandFlags.ForceUnitAccess);
        client.Write(8192, two);
        Assert.Equal(NbdError.None, world.Open().Call(NbdCommand.Flush).Error);
        Assert.Equal(NbdError.None, client.Call(
            NbdCommand.WriteZeroes, 4096, 4096, NbdCommandFlags.ForceUnitAccess).Error);
        world.CutPower();
        Assert.Equal(one, world.DiskBytesAt(0, 4096));
        Assert.Equal(new byte[4096], world.DiskBytesAt(4096, 4096));
        Assert.Equal(two, world.DiskBytesAt(8192, 4096));
    }

    [Fact]
    public void Zeroing_reads_back_as_zeroes_and_says_whether_room_may_be_given_back()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        client.Write(0, Pattern(8192, 1));
        var seen = new List<(VolumeOperation, bool MayUnmap)>();
        world.Volume.Submitted = io => seen.Add((io.Operation, io.MayUnmap));
        Assert.Equal(NbdError.None, client.Call(NbdCommand.WriteZeroes, 0, 4096).Error);
        Answer kept = client.Call(NbdCommand.WriteZeroes, 4096, 4096, NbdCommandFlags.NoHole);
        Assert.Equal(NbdError.None, kept.Error);
        Assert.Equal([(VolumeOperation.Zero, true), (VolumeOperation.Zero, false)], seen);
        Assert.Equal(new byte[8192], client.Read(0, 8192));
    }

    [Theory]
    [InlineData(NbdCommand.Trim)]
    [InlineData(NbdCommand.WriteZeroes)]
    public void A_long_range_is_passed_on_in_parts_one_after_the_other(NbdCommand command)
    {
        using var world = new NbdWorld(diskBytes: 256L << 20);
        NbdClient client = world.Open();
        var parts = new List<(long Offset, long Length)>();
        world.Volume.Submitted = io => parts.Add((io.Offset >> 20, io.LengthBytes >> 20));
        Assert.Equal(NbdError.None, client.Call(command, 1 << 20, 200 << 20).Error);
        Assert.Equal([(1, 64), (65, 64), (129, 64), (193, 8)], parts);
        Assert.Equal(1, world.Volume.MostInFlight);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_trim_is_offered_and_passed_on_where_it_gives_room_back(bool canTrim)
    {
        using var world = new NbdWorld();
        world.Volume.CanTrim = canTrim;
        int submitted = 0;
        world.Volume.Submitted = _ => submitted++;
        NbdClient client = world.Open();
        Assert.Equal(canTrim, client.Export.Flags.HasFlag(NbdTransmissionFlags.SendTrim));
        Assert.Equal(NbdError.None, client.Call(NbdCommand.Trim, 0, 1 << 20).Error);
        Assert.Equal(canTrim ? 1 : 0, submitted);
        Assert.Equal(NbdError.None, client.Call(NbdCommand.WriteZeroes, 0, 1 << 20).Error);
    }

    [Fact]
    public void A_trim_that_the_volume_can_not_do_is_still_fine()
    {
        using var world = new NbdWorld();
        world.Disk.CanDiscard = false;
        Assert.Equal(NbdError.None, world.Open().Call(NbdCommand.Trim, 0, 32 << 20).Error);
    }

    [Fact]
    public void Block_status_tells_data_from_holes()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(allocation: true);
        client.Write(1 << 20, Pattern(64 << 10, 1));
        const NbdAllocationState Hole = NbdAllocationState.Hole | NbdAllocationState.Zero;
        Assert.Equal(
            [new(1 << 20, Hole), new(64 << 10, NbdAllocationState.Data), new((3 << 20) - (64 << 10), Hole)],
            client.Call(NbdCommand.BlockStatus, 0, 4 << 20).Extents);
        Assert.Equal(
            [new(1 << 20, Hole)],
            client.Call(NbdCommand.BlockStatus, 0, 4 << 20, NbdCommandFlags.OneExtent).Extents);
    }

    [Fact]
    public void Block_status_of_a_fragmented_range_is_cut_and_can_be_asked_on()
    {
        using var world = new NbdWorld();
        for (int i = 0; i < 2000; i++)
        {
            world.Disk.Put(i * 8192, Pattern(4096, 1));
        }

        NbdClient client = world.Open(allocation: true);
        ulong offset = 0;
        int extents = 0;
        while (offset < 2000 * 8192)
        {
            Answer answer = client.Call(NbdCommand.BlockStatus, offset, (uint)((2000 * 8192) - offset));
            Assert.InRange(answer.Extents.Count, 1, 512);
            offset += (ulong)answer.Extents.Sum(extent => extent.LengthBytes);
            extents += answer.Extents.Count;
        }

        Assert.Equal(4000, extents);
    }

    [Fact]
    public void Block_status_that_fails_is_an_error_and_one_that_is_not_known_is_data()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(allocation: true);
        world.Disk.Fault = (kind, _, _) => kind == OperationKind.Allocation ? Errno.EOPNOTSUPP : 0;
        Assert.Equal(
            [new(1 << 20, NbdAllocationState.Data)],
            client.Call(NbdCommand.BlockStatus, 0, 1 << 20).Extents);
        world.Disk.Fault = (kind, _, _) => kind == OperationKind.Allocation ? Errno.EIO : 0;
        Assert.Equal(NbdError.InputOutput, client.Call(NbdCommand.BlockStatus, 0, 1 << 20).Error);
        world.Disk.Fault = null;
        Assert.Equal(NbdError.None, client.Call(NbdCommand.BlockStatus, 0, 1 << 20).Error);
    }

    [Theory]
    [InlineData(Errno.EIO, NbdError.InputOutput)]
    [InlineData(Errno.ENOSPC, NbdError.NoSpace)]
    [InlineData(Errno.EPERM, NbdError.NotPermitted)]
    [InlineData(Errno.EACCES, NbdError.NotPermitted)]
    [InlineData(Errno.ESHUTDOWN, NbdError.Shutdown)]
    [InlineData(Errno.ETIMEDOUT, NbdError.InputOutput)]
    public void An_error_of_the_volume_reaches_the_client(int errno, NbdError expected)
    {
        foreach (bool structured in new[] { true, false })
        {
            using var world = new NbdWorld();
            NbdClient client = world.Open(structured);
            world.Volume.Refuses = _ => errno;
            Assert.Equal(expected, client.Write(0, new byte[3 * Slot]));
            Assert.Equal(expected, client.Call(NbdCommand.Read, 0, 4096).Error);
            Assert.Equal(expected, client.Call(NbdCommand.Flush).Error);
            Assert.Equal(expected, client.Call(NbdCommand.Trim, 0, 4096).Error);
            Assert.Equal(expected, client.Call(NbdCommand.WriteZeroes, 0, 4096).Error);
            world.Volume.Refuses = null;
            Assert.Equal(NbdError.None, client.Write(0, new byte[4096]));
        }
    }

    [Fact]
    public void A_write_fails_as_a_whole_when_one_piece_fails()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        world.Volume.Refuses = io => io.Offset == 2 * Slot ? Errno.EIO : 0;
        Assert.Equal(NbdError.InputOutput, client.Write(0, Pattern(40 * Slot, 1)));
        Assert.Equal(NbdError.None, client.Write(64 * Slot, Pattern(Slot, 2)));
        Assert.Equal(Pattern(Slot, 2), client.Read(64 * Slot, Slot));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(39)]
    public void A_structured_read_names_the_offset_that_failed(int piece)
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        world.Volume.Refuses = io => io.Offset == piece * Slot ? Errno.EIO : 0;
        Answer answer = client.Call(NbdCommand.Read, 0, 40 * Slot);
        Assert.Equal(NbdError.InputOutput, answer.Error);
        Assert.Equal("the read failed", answer.ErrorText);
        Assert.Equal([piece * Slot], answer.FailedOffsets);
        Assert.DoesNotContain(piece * Slot, answer.Chunks.Keys);
        Assert.Equal(512, client.Read(63 * Slot, 512).Length);
    }

    [Fact]
    public void A_structured_read_of_which_everything_fails_ends()
    {
        using var world = new NbdWorld(slots: 2);
        NbdClient client = world.Open();
        world.Volume.Refuses = _ => Errno.EIO;
        Answer answer = client.Call(NbdCommand.Read, 0, 40 * Slot);
        Assert.Equal(NbdError.InputOutput, answer.Error);
        Assert.NotEmpty(answer.FailedOffsets);
        Assert.Equal(0, answer.WholeErrors);
        world.Volume.Refuses = null;
        Assert.Equal(512, client.Read(0, 512).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_simple_read_that_fails_in_its_first_window_gets_an_error(int piece)
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(structured: false);
        world.Volume.Refuses = io => io.Offset == piece * Slot ? Errno.EIO : 0;
        Assert.Equal(NbdError.InputOutput, client.Call(NbdCommand.Read, 0, 20 * Slot).Error);
        world.Volume.Refuses = null;
        Assert.Equal(20 * Slot, client.Read(0, 20 * Slot).Length);
    }

    [Fact]
    public void A_simple_read_that_fails_after_its_header_disconnects()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(structured: false);
        NbdClient other = world.Open(structured: false);
        world.Volume.Refuses = io => io.Offset == 12 * Slot ? Errno.EIO : 0;
        client.Send(NbdCommand.Read, 0, 20 * Slot);
        Assert.InRange(client.Wire.TakeToEnd().Length, 16 + (4 * Slot), 16 + (12 * Slot));
        Assert.Equal("a read failed after its reply had begun (InputOutput), closed", world.Events[^1].Text);
        Assert.Equal(NbdError.None, other.Write(0, new byte[512]));
    }

    [Fact]
    public void Pipelined_small_requests_share_receives_and_sends()
    {
        using var world = new NbdWorld(slots: 64);
        NbdClient client = world.Open();
        byte[] all = [.. Enumerable.Range(0, 32).SelectMany(WriteOf)];
        client.Wire.Send(all);
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(NbdError.None, client.TakeAnswer().Error);
        }

        Assert.InRange(world.Volume.MostInFlight, 10, 32);
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal(Pattern(4096, i), client.Read(i * 4096, 4096));
        }

        static byte[] WriteOf(int i) =>
        [
            .. NbdClient.RequestBytes(NbdCommand.Write, (ulong)i, (ulong)i * 4096, 4096),
            .. Pattern(4096, i),
        ];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(29)]
    public void A_stream_of_requests_may_be_cut_anywhere(int chunkBytes)
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open(structured: false);
        byte[] all =
        [
            .. NbdClient.RequestBytes(NbdCommand.Write, 1, 0, 1024), .. Pattern(1024, 1),
            .. NbdClient.RequestBytes(NbdCommand.Write, 2, 1024, 17 << 10), .. Pattern(17 << 10, 2),
            .. NbdClient.RequestBytes(NbdCommand.Flush, 3, 0, 0),
        ];
        client.Wire.Send([.. all.Chunk(chunkBytes)]);
        var cookies = new SortedSet<ulong>();
        while (cookies.Count < 3)
        {
            Assert.True(cookies.Add(client.TakeAnswer().Cookie));
        }

        Assert.Equal([1ul, 2, 3], cookies);
        Assert.Equal(Pattern(17 << 10, 2), client.Read(1024, 17 << 10));
    }

    [Fact]
    public void DISC_waits_for_the_requests_before_it()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        world.Volume.Holds = true;
        client.Send(NbdCommand.Write, 0, 4096, 0, Pattern(4096, 1));
        client.Send(NbdCommand.Read, 0, 4096);
        client.Send(NbdCommand.Disconnect);
        world.Pass(NbdWorld.Second);
        Assert.False(client.Wire.IsEnded);
        world.Volume.Release();
        client.TakeAnswer();
        client.TakeAnswer();
        Assert.Empty(client.Wire.TakeToEnd());
        world.UntilEmpty();
        Assert.Equal(Pattern(4096, 1), world.DiskBytesAt(0, 4096));
        Assert.Equal(NbdEventKind.Closed, world.Events[^1].Kind);
        Assert.Equal("disconnected by the client", world.Events[^1].Text);
    }

    [Fact]
    public void After_an_abrupt_end_everything_in_flight_is_completed_and_given_back()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        world.Volume.Holds = true;
        client.Send(NbdCommand.Write, 0, 4096, 0, Pattern(4096, 1));
        client.Send(NbdCommand.Read, 0, 3 * Slot);
        client.Send(NbdCommand.Write, 8192, 64 << 10, 0, new byte[20 << 10]);
        world.Until(() => world.Volume.InFlight == 4, "the volume has all pieces that are complete");
        client.Wire.Close();
        world.Until(() => world.Events[^1].Kind == NbdEventKind.Lost, "the end was noticed");
        Assert.Equal("closed by the client in the middle of a write", world.Events[^1].Text);
        Assert.Equal(1, world.Server.Sessions);
        Assert.Equal(12, world.Pool.FreeSlots);
        world.Volume.Release();
        world.UntilEmpty();
        Assert.Equal(Pattern(4096, 1), world.DiskBytesAt(0, 4096));
    }

    [Fact]
    public void Closing_the_sessions_ends_them_all_and_says_when_nothing_is_in_flight()
    {
        using var world = new NbdWorld();
        NbdClient one = world.Open();
        NbdClient two = world.Open(structured: false);
        NbdWire greeting = world.Connect();
        greeting.Take(18);
        world.Volume.Holds = true;
        one.Send(NbdCommand.Write, 0, 4096, 0, new byte[4096]);
        world.Until(() => world.Volume.InFlight == 1, "the write is in flight");
        bool closed = false;
        world.Server.CloseSessions("resource mail is demoted", () => closed = true);
        Assert.Empty(two.Wire.TakeToEnd());
        Assert.Empty(greeting.TakeToEnd());
        world.Pass(NbdWorld.Second);
        Assert.False(closed);
        world.Volume.Release();
        world.Until(() => closed, "the sessions are closed");
        world.UntilEmpty();
        Assert.Equal(2, world.Events.Count(e => e.Text == "resource mail is demoted"));
        Assert.Equal(NbdError.None, world.Open().Write(0, new byte[512]));
    }

    [Fact]
    public void Closing_when_there_is_no_session_is_done_at_once()
    {
        using var world = new NbdWorld();
        bool closed = false;
        world.Server.CloseSessions("nobody", () => closed = true);
        Assert.True(closed);
    }

    private static byte[] Pattern(int bytes, int seed)
    {
        byte[] data = new byte[bytes];
        new Random(seed).NextBytes(data);
        return data;
    }
}
