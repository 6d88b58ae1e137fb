using System.IO.Pipelines;
using System.Security.Cryptography;
using MirrorD.Daemon.Forwarding;

namespace MirrorD.Daemon.Tests.Forwarding;

/// <summary>Calls between nodes: who has not the key gets nothing, and what was changed on the way is refused.</summary>
public sealed class SealedStreamTests
{
    private static readonly CancellationToken s_limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Pipe _toCalled = new();
    private readonly Pipe _toCaller = new();

    [Fact]
    public async Task Both_directions_carry_bytes_of_any_length()
    {
        (SealedStream caller, SealedStream called) = await Connect();
        foreach (int length in (int[])[1, 100, SealedStream.MostRecordBytes, 3 * SealedStream.MostRecordBytes + 7])
        {
            byte[] sent = RandomNumberGenerator.GetBytes(length);
            byte[] received = new byte[length];
            Task writing = caller.WriteAsync(sent, s_limit).AsTask();
            await called.ReadExactlyAsync(received, s_limit);
            await writing;
            Assert.Equal(sent, received);
            writing = called.WriteAsync(sent, s_limit).AsTask();
            Array.Clear(received);
            await caller.ReadExactlyAsync(received, s_limit);
            await writing;
            Assert.Equal(sent, received);
        }
    }

    [Fact]
    public async Task A_caller_with_another_key_learns_so_and_is_refused()
    {
        Task<SealedStream> answering = SealedHandshake.Answer(Called(), _key, s_limit);
        byte[] other = RandomNumberGenerator.GetBytes(32);
        IOException refused = await Assert.ThrowsAsync<IOException>(
            () => SealedHandshake.Call(Caller(), other, s_limit));
        Assert.Contains("does not have the cluster's key", refused.Message);
        await _toCalled.Writer.WriteAsync(new byte[32], s_limit);
        await Assert.ThrowsAsync<IOException>(() => answering);
    }

    [Fact]
    public async Task What_is_no_call_gets_no_answer()
    {
        Task<SealedStream> answering = SealedHandshake.Answer(Called(), _key, s_limit);
        await _toCalled.Writer.WriteAsync(new byte[48], s_limit);
        await Assert.ThrowsAsync<IOException>(() => answering);
        Assert.False(_toCaller.Reader.TryRead(out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(27)]
    public async Task A_changed_byte_is_noticed(int at)
    {
        (SealedStream caller, SealedStream called) = await Connect();
        byte[] record = await Record(caller, "0123456789"u8.ToArray());
        record[at] ^= 1;
        await _toCalled.Writer.WriteAsync(record, s_limit);
        await _toCalled.Writer.CompleteAsync();
        await Assert.ThrowsAnyAsync<IOException>(async () => await called.ReadExactlyAsync(new byte[10], s_limit));
    }

    [Fact]
    public async Task A_repeated_record_is_noticed()
    {
        (SealedStream caller, SealedStream called) = await Connect();
        byte[] record = await Record(caller, "0123456789"u8.ToArray());
        await _toCalled.Writer.WriteAsync(record, s_limit);
        await called.ReadExactlyAsync(new byte[10], s_limit);
        await _toCalled.Writer.WriteAsync(record, s_limit);
        await Assert.ThrowsAsync<IOException>(async () => await called.ReadExactlyAsync(new byte[10], s_limit));
    }

    [Fact]
    public async Task A_record_left_out_is_noticed()
    {
        (SealedStream caller, SealedStream called) = await Connect();
        await Record(caller, "0123456789"u8.ToArray());
        await _toCalled.Writer.WriteAsync(await Record(caller, "abcdefghij"u8.ToArray()), s_limit);
        await Assert.ThrowsAsync<IOException>(async () => await called.ReadExactlyAsync(new byte[10], s_limit));
    }

    private async Task<(SealedStream Caller, SealedStream Called)> Connect()
    {
        Task<SealedStream> answering = SealedHandshake.Answer(Called(), _key, s_limit);
        SealedStream caller = await SealedHandshake.Call(Caller(), _key, s_limit);
        return (caller, await answering);
    }

    /// <summary>Takes what the caller sends off its way.</summary>
    private async Task<byte[]> Record(SealedStream caller, byte[] data)
    {
        await caller.WriteAsync(data, s_limit);
        byte[] record = new byte[18 + data.Length];
        await _toCalled.Reader.AsStream(leaveOpen: true).ReadExactlyAsync(record, s_limit);
        return record;
    }

    private TwoWay Caller() => new(_toCaller.Reader.AsStream(), _toCalled.Writer.AsStream());

    private TwoWay Called() => new(_toCalled.Reader.AsStream(), _toCaller.Writer.AsStream());

    /// <summary>One end of two pipes.</summary>
    private sealed class TwoWay(Stream from, Stream to) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default) =>
            from.ReadAsync(buffer, stop);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken stop = default) =>
            to.WriteAsync(buffer, stop);

        public override void Flush() => to.Flush();

        public override int Read(byte[] buffer, int offset, int count) => from.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) => to.Write(buffer, offset, count);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
