using System.Text;

namespace MirrorD.Io.Tests;

public abstract partial class LoopContractTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bytes_arrive_in_order(bool tcp)
    {
        (IConnection client, IConnection server) = ConnectedPair(tcp);
        Assert.Equal(5, Do(operation => Loop.Send(client, Text("hello"), operation)));
        Assert.Equal(5, Do(operation => Loop.Send(client, Text("world"), operation)));

        BufferSlice all = Buffer(10);
        Assert.Equal(10, Do(operation => Loop.Receive(server, all, 10, operation)));
        Assert.Equal("helloworld", Text(all));
    }

    [Fact]
    public void A_receive_waits_for_its_minimum_and_not_for_more()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        BufferSlice into = Buffer(100);
        Probe receive = NewProbe();
        Loop.Receive(server, into, 6, receive.Operation);
        Do(operation => Loop.Send(client, Text("four"), operation));
        Assert.Equal(0, receive.Completions);

        Do(operation => Loop.Send(client, Text("more"), operation));
        RunUntilDone(receive);
        Assert.InRange(receive.Result, 6, 8);
        Assert.Equal("fourmore"[..receive.Result], Text(into)[..receive.Result]);
    }

    [Fact]
    public void What_does_not_fit_a_receive_stays_for_the_next()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        Do(operation => Loop.Send(client, Text("abcdef"), operation));
        BufferSlice first = Buffer(2);
        BufferSlice second = Buffer(4);
        Assert.Equal(2, Do(operation => Loop.Receive(server, first, 2, operation)));
        Assert.Equal(4, Do(operation => Loop.Receive(server, second, 4, operation)));
        Assert.Equal("abcdef", Text(first) + Text(second));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_other_ends_close_is_seen_after_its_bytes(bool tcp)
    {
        (IConnection client, IConnection server) = ConnectedPair(tcp);
        Do(operation => Loop.Send(client, Text("last"), operation));
        client.Close();

        BufferSlice into = Buffer(16);
        Assert.Equal(4, Do(operation => Loop.Receive(server, into, 16, operation)));
        Assert.Equal(0, Do(operation => Loop.Receive(server, into, 1, operation)));
        server.Close();
    }

    [Fact]
    public void Sending_to_a_closed_end_fails_in_the_end()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        server.Close();
        BufferSlice data = Buffer(65536);
        int result = 0;
        for (int i = 0; i < 1000 && result >= 0; i++)
        {
            result = Do(operation => Loop.Send(client, data, operation));
        }

        Assert.Contains(result, new[] { -Errno.EPIPE, -Errno.ECONNRESET });
        client.Close();
    }

    [Fact]
    public void Close_cancels_what_is_pending_later_and_nothing_completes_after_that()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        Probe receive = NewProbe();
        Probe send = NewProbe();
        Loop.Receive(client, Buffer(16), 16, receive.Operation);
        Loop.Send(client, Buffer(64 << 20), send.Operation);
        Assert.Equal(0, Do(operation => Loop.StartTimer(Loop.NowNs + 1_000_000, operation)));

        client.Close();
        client.Close();
        Assert.Equal(0, receive.Completions + send.Completions);
        RunUntilDone(receive, send);
        Assert.Equal(-Errno.ECANCELED, receive.Result);
        Assert.Equal(-Errno.ECANCELED, send.Result);

        server.Close();
        Do(operation => Loop.StartTimer(Loop.NowNs + 20_000_000, operation));
        Assert.Equal(1, receive.Completions);
        Assert.Equal(1, send.Completions);
    }

    [Fact]
    public void A_send_is_pending_until_a_later_turn_however_small_it_is()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        Probe send = NewProbe();
        Do(operation => Loop.StartTimer(Loop.NowNs, operation));
        Loop.Send(client, Text("hello"), send.Operation);
        Assert.Equal(0, send.Completions);
        RunUntilDone(send);
        Assert.Equal(5, send.Result);
        Assert.Equal(5, Do(operation => Loop.Send(client, Text("again"), operation)));
        BufferSlice into = Buffer(10);
        Assert.Equal(10, Do(operation => Loop.Receive(server, into, 10, operation)));
        Assert.Equal("helloagain", Encoding.ASCII.GetString(into.Span));
    }

    [Fact]
    public void A_close_right_after_a_send_completes_it_once()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        Probe send = NewProbe();
        Do(operation => Loop.StartTimer(Loop.NowNs, operation));
        Loop.Send(client, Text("hello"), send.Operation);
        client.Close();
        RunUntilDone(send);
        Assert.Contains(send.Result, (int[])[5, -Errno.ECANCELED]);
        if (send.Result == 5)
        {
            Assert.Equal(5, Do(operation => Loop.Receive(server, Buffer(5), 5, operation)));
        }

        Assert.Equal(-Errno.ECANCELED, Do(operation => Loop.Send(client, Text("late"), operation)));
        Do(operation => Loop.StartTimer(Loop.NowNs + 20_000_000, operation));
        Assert.Equal(1, send.Completions);
    }

    [Fact]
    public void A_send_waits_while_nobody_receives()
    {
        (IConnection client, IConnection server) = ConnectedPair();
        Probe send = NewProbe();
        BufferSlice big = Buffer(64 << 20);
        Loop.Send(client, big, send.Operation);
        Do(operation => Loop.StartTimer(Loop.NowNs + 50_000_000, operation));
        Assert.Equal(0, send.Completions);

        long received = 0;
        BufferSlice into = Buffer(1 << 20);
        Probe? receive = null;
        receive = NewProbe(probe =>
        {
            received += probe.Result;
            if (received < big.LengthBytes)
            {
                Loop.Receive(server, into, 1, probe.Operation);
            }
        });
        Loop.Receive(server, into, 1, receive.Operation);
        RunUntil(() => received == big.LengthBytes && send.Completions == 1, "all bytes of a blocked send");
        Assert.Equal(big.LengthBytes, send.Result);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Large_transfers_run_in_both_directions_at_once(bool tcp)
    {
        (IConnection client, IConnection server) = ConnectedPair(tcp);
        BufferSlice there = Buffer(4 << 20);
        BufferSlice back = Buffer(4 << 20);
        new Random(2).NextBytes(there.Span);
        new Random(3).NextBytes(back.Span);
        BufferSlice atServer = Buffer(4 << 20);
        BufferSlice atClient = Buffer(4 << 20);
        Probe[] all = [.. Enumerable.Range(0, 4).Select(_ => NewProbe())];

        Loop.Send(client, there, all[0].Operation);
        Loop.Send(server, back, all[1].Operation);
        Loop.Receive(server, atServer, atServer.LengthBytes, all[2].Operation);
        Loop.Receive(client, atClient, atClient.LengthBytes, all[3].Operation);
        RunUntilDone(all);

        Assert.All(all, probe => Assert.Equal(4 << 20, probe.Result));
        Assert.True(there.Span.SequenceEqual(atServer.Span));
        Assert.True(back.Span.SequenceEqual(atClient.Span));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Connecting_where_nobody_listens_is_refused(bool tcp)
    {
        IListener listener = Loop.Listen(CreateEndpoint(tcp));
        Endpoint endpoint = listener.Endpoint;
        listener.Close();
        int result = Do(operation => Loop.Connect(endpoint, 5_000_000_000, operation));
        Assert.Contains(result, new[] { -Errno.ECONNREFUSED, -Errno.ENOENT });
    }

    [Fact]
    public void Connecting_to_a_silent_address_fails_after_the_time_limit()
    {
        long startNs = Loop.NowNs;
        int result = Do(operation => Loop.Connect(SilentEndpoint, 300_000_000, operation));
        Assert.Contains(result, new[] { -Errno.ETIMEDOUT, -Errno.EHOSTUNREACH, -Errno.ENETUNREACH });
        Assert.InRange(Loop.NowNs - startNs, 0, 3_000_000_000);
    }

    [Fact]
    public void Closing_a_listener_cancels_its_accept()
    {
        IListener listener = Loop.Listen(CreateEndpoint(false));
        Probe accept = NewProbe();
        Loop.Accept(listener, accept.Operation);
        listener.Close();
        listener.Close();
        RunUntilDone(accept);
        Assert.Equal(-Errno.ECANCELED, accept.Result);
    }

    [Fact]
    public void A_listener_accepts_one_connection_after_the_other()
    {
        IListener listener = Loop.Listen(CreateEndpoint(true));
        List<IConnection> accepted = [];
        Probe? accept = null;
        accept = NewProbe(probe =>
        {
            accepted.Add(probe.Operation.Connection!);
            if (accepted.Count < 3)
            {
                Loop.Accept(listener, probe.Operation);
            }
        });
        Loop.Accept(listener, accept.Operation);
        Probe[] connects = [.. Enumerable.Range(0, 3).Select(_ => NewProbe())];
        foreach (Probe connect in connects)
        {
            Loop.Connect(listener.Endpoint, 5_000_000_000, connect.Operation);
        }

        RunUntil(
            () => accepted.Count == 3 && connects.All(connect => connect.Completions == 1), "3 connections");
        Assert.All(connects, connect => Assert.Equal(0, connect.Result));
        Assert.Equal(3, accepted.Distinct().Count());
        listener.Close();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Listening_twice_at_one_place_is_refused_by_name(bool tcp)
    {
        IListener listener = Loop.Listen(CreateEndpoint(tcp));
        IOException refusal = Assert.Throws<IOException>(() => Loop.Listen(listener.Endpoint));
        string place = listener.Endpoint is TcpEndpoint at
            ? at.Port.ToString() : ((UnixEndpoint)listener.Endpoint).Path;
        Assert.Contains(place, refusal.Message);
        listener.Close();
    }
}
