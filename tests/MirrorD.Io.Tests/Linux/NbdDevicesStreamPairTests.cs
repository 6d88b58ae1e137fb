using MirrorD.Io.Linux;
using MirrorD.Io.Linux.NbdDevices;

namespace MirrorD.Io.Tests.Linux;

public sealed class NbdDevicesStreamPairTests : IDisposable
{
    private readonly LoopDriver _driver = new();

    public void Dispose() => _driver.Dispose();

    [Fact]
    public void Both_ends_of_a_pair_can_be_adopted_and_carry_bytes_both_ways()
    {
        using StreamPair pair = StreamPair.Open();
        IConnection daemon = _driver.Loop.Adopt(pair.DaemonEnd, "daemon end");
        IConnection kernel = _driver.Loop.Adopt(pair.KernelEnd, "kernel end");
        Assert.Equal("daemon end", daemon.Name);
        AssertCarries(kernel, daemon);
        AssertCarries(daemon, kernel);
        daemon.Close();
        BufferSlice into = _driver.Buffer(16);
        Assert.Equal(0, _driver.Do(operation => _driver.Loop.Receive(kernel, into, 1, operation)));
        kernel.Close();
    }

    [Fact]
    public void An_adopted_end_belongs_to_the_loop_and_not_to_its_handle()
    {
        using StreamPair pair = StreamPair.Open();
        IConnection daemon = _driver.Loop.Adopt(pair.DaemonEnd, "daemon end");
        pair.DaemonEnd.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _driver.Loop.Adopt(pair.DaemonEnd, "again"));
        IConnection kernel = _driver.Loop.Adopt(pair.KernelEnd, "kernel end");
        AssertCarries(daemon, kernel);
        daemon.Close();
        kernel.Close();
    }

    [Fact]
    public void Closing_with_a_receive_under_way_ends_both_and_tells_the_other_end()
    {
        using StreamPair pair = StreamPair.Open();
        IConnection daemon = _driver.Loop.Adopt(pair.DaemonEnd, "daemon end");
        IConnection kernel = _driver.Loop.Adopt(pair.KernelEnd, "kernel end");
        IoOperation pending = _driver.Operation();
        _driver.Loop.Receive(daemon, _driver.Buffer(16), 1, pending);
        daemon.Close();
        _driver.RunUntil(() => !pending.IsPending, "the receive that was closed under");
        Assert.Equal(-Errno.ECANCELED, pending.Result);
        BufferSlice into = _driver.Buffer(16);
        Assert.Equal(0, _driver.Do(operation => _driver.Loop.Receive(kernel, into, 1, operation)));
        kernel.Close();
    }

    [RootFact]
    public void An_end_holds_as_much_as_was_asked_for_before_the_other_takes_any()
    {
        using StreamPair pair = StreamPair.Open(8 * 1024 * 1024);
        Assert.Null(pair.Warning);
        using var socket = new System.Net.Sockets.Socket(
            new System.Net.Sockets.SafeSocketHandle(pair.KernelEnd.DangerousGetHandle(), ownsHandle: false));
        socket.Blocking = false;
        byte[] chunk = new byte[256 * 1024];
        int sentBytes = 0;
        System.Net.Sockets.SocketError error;
        do
        {
            sentBytes += socket.Send(chunk, System.Net.Sockets.SocketFlags.None, out error);
        }
        while (error == System.Net.Sockets.SocketError.Success);

        Assert.Equal(System.Net.Sockets.SocketError.WouldBlock, error);
        Assert.True(sentBytes >= 8 * 1024 * 1024, $"only {sentBytes} bytes were held");
    }

    [Fact]
    public void Both_ends_are_closed_on_exec()
    {
        using StreamPair pair = StreamPair.Open();
        foreach (var end in new[] { pair.DaemonEnd, pair.KernelEnd })
        {
            string[] lines = File.ReadAllLines($"/proc/self/fdinfo/{end.DangerousGetHandle()}");
            string flags = lines.First(line => line.StartsWith("flags:", StringComparison.Ordinal));
            Assert.Equal(0x80000, Convert.ToInt32(flags[6..].Trim(), 8) & 0x80000);
        }
    }

    private void AssertCarries(IConnection from, IConnection to)
    {
        BufferSlice sent = _driver.Buffer(300_000);
        BufferSlice received = _driver.Buffer(300_000);
        new Random(7).NextBytes(sent.Span);
        IoOperation receive = _driver.Operation();
        _driver.Loop.Receive(to, received, 300_000, receive);
        Assert.Equal(300_000, _driver.Do(operation => _driver.Loop.Send(from, sent, operation)));
        _driver.RunUntil(() => !receive.IsPending, "the bytes at the other end");
        Assert.Equal(300_000, receive.Result);
        Assert.True(received.Span.SequenceEqual(sent.Span));
    }
}
