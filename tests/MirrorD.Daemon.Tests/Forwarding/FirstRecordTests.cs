using System.Net;
using System.Net.Sockets;
using MirrorD.Daemon.Forwarding;
using Xunit;

namespace MirrorD.Daemon.Tests.Forwarding;

public sealed class FirstRecordTests : IDisposable
{
    // A record of a handshake with 300 bytes in it, and what follows it.
    private static readonly byte[] s_words = [22, 3, 1, 1, 44, .. Enumerable.Range(0, 300).Select(each => (byte)each), 1, 2, 3];

    private readonly Socket _caller = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly Socket _called;
    private readonly CancellationTokenSource _stop = new();

    public FirstRecordTests()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _caller.Connect(listener.LocalEndpoint);
        _called = listener.AcceptSocket();
    }

    public void Dispose()
    {
        _caller.Dispose();
        _called.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task It_is_awaited_whole_and_comes_first_from_the_stream()
    {
        Task<ReadOnlyMemory<byte>> receiving = FirstRecord.Receive(_called, _stop.Token);
        foreach (byte each in s_words[..304])
        {
            await _caller.SendAsync(new[] { each });
        }

        Assert.False(receiving.IsCompleted);
        await _caller.SendAsync(s_words.AsMemory(304));
        ReadOnlyMemory<byte> begun = await receiving.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.InRange(begun.Length, 305, s_words.Length);
        await using var stream = new BegunStream(_called, begun);
        await _caller.SendAsync("more"u8.ToArray());
        byte[] read = new byte[s_words.Length + 4];
        Assert.Equal(100, await stream.ReadAsync(read.AsMemory(0, 100)));
        await stream.ReadExactlyAsync(read.AsMemory(100));
        Assert.Equal([.. s_words, .. "more"u8], read);
    }

    [Fact]
    public async Task Who_says_half_of_it_is_done_with_when_the_time_is_over()
    {
        await _caller.SendAsync(s_words.AsMemory(0, 200));
        Task<ReadOnlyMemory<byte>> receiving = FirstRecord.Receive(_called, _stop.Token);
        await _stop.CancelAsync();
        Assert.True((await receiving.WaitAsync(TimeSpan.FromSeconds(30))).IsEmpty);
    }

    [Fact]
    public async Task Who_closes_has_said_nothing()
    {
        await _caller.SendAsync(s_words.AsMemory(0, 3));
        _caller.Shutdown(SocketShutdown.Send);
        Assert.True((await FirstRecord.Receive(_called, _stop.Token).WaitAsync(TimeSpan.FromSeconds(30))).IsEmpty);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("\u0016\u0003\u0001\u0000\u0000")]
    [InlineData("\u0016\u0003\u0001\u0010\u0001")]
    [InlineData("\u0016\u0002\u0001\u0000\u0010")]
    [InlineData("\u0017\u0003\u0003\u0000\u0010")]
    public async Task Anything_else_is_no_TLS(string words)
    {
        await _caller.SendAsync(words.Select(each => (byte)each).ToArray());
        IOException refused = await Assert.ThrowsAsync<IOException>(
            () => FirstRecord.Receive(_called, _stop.Token).WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal("the other side does not speak TLS 1.3", refused.Message);
    }
}
