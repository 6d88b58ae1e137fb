using System.Net;

namespace MirrorD.Io.Tests;

public abstract partial class LoopContractTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_datagram_arrives_as_it_was_sent_in_both_directions(bool isV6)
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair(isV6);
        Assert.Equal(5, Do(operation => Loop.Send(one, Text("there"), operation)));
        Assert.Equal("there", ReceiveText(other));
        Assert.Equal(4, Do(operation => Loop.Send(other, Text("back"), operation)));
        Assert.Equal("back", ReceiveText(one));
        one.Close();
        other.Close();
    }

    [Fact]
    public void Each_receive_takes_one_datagram_and_they_wait_in_their_order()
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair();
        string[] sent = ["first", "2", "", "the last"];
        foreach (string text in sent)
        {
            BufferSlice from = text.Length == 0 ? default : Text(text);
            Assert.Equal(text.Length, Do(operation => Loop.Send(one, from, operation)));
        }

        Assert.Equal(sent, sent.Select(_ => ReceiveText(other)).ToArray());
        one.Close();
        other.Close();
    }

    [Fact]
    public void A_receive_waits_until_something_comes()
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair();
        BufferSlice into = Buffer(16);
        Probe receive = NewProbe();
        Loop.Receive(other, into, receive.Operation);
        Do(operation => Loop.StartTimer(Loop.NowNs + 10_000_000, operation));
        Assert.Equal(0, receive.Completions);

        Do(operation => Loop.Send(one, Text("now"), operation));
        RunUntilDone(receive);
        Assert.Equal(3, receive.Result);
        Assert.Equal("now", Text(into)[..3]);
        one.Close();
        other.Close();
    }

    [Fact]
    public void What_does_not_fit_a_receive_of_a_datagram_is_gone()
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair();
        Do(operation => Loop.Send(one, Text("abcdef"), operation));
        Do(operation => Loop.Send(one, Text("next"), operation));
        BufferSlice two = Buffer(2);
        Assert.Equal(2, Do(operation => Loop.Receive(other, two, operation)));
        Assert.Equal("ab", Text(two));
        Assert.Equal("next", ReceiveText(other));
        one.Close();
        other.Close();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pending_receive_hears_that_nobody_listens_and_the_socket_goes_on(bool isV6)
    {
        UdpEndpoint endpoint = CreateUdpEndpoint(isV6);
        IDatagramSocket one = Loop.OpenDatagram(endpoint);
        Probe receive = NewProbe();
        Loop.Receive(one, Buffer(16), receive.Operation);
        Assert.Equal(5, Do(operation => Loop.Send(one, Text("hello"), operation)));
        RunUntilDone(receive);
        Assert.Equal(-Errno.ECONNREFUSED, receive.Result);

        IDatagramSocket other = Loop.OpenDatagram(Mirrored(endpoint));
        Assert.Equal(5, Do(operation => Loop.Send(one, Text("again"), operation)));
        Assert.Equal("again", ReceiveText(other));
        Assert.Equal(3, Do(operation => Loop.Send(other, Text("yes"), operation)));
        Assert.Equal("yes", ReceiveText(one));
        one.Close();
        other.Close();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refusal_that_came_between_is_told_once_to_what_comes_first(bool isSendFirst)
    {
        UdpEndpoint endpoint = CreateUdpEndpoint(false);
        IDatagramSocket one = Loop.OpenDatagram(endpoint);
        Do(operation => Loop.Send(one, Text("hello"), operation));
        Do(operation => Loop.StartTimer(Loop.NowNs + 20_000_000, operation)); // The refusal travels.

        IDatagramSocket other = Loop.OpenDatagram(Mirrored(endpoint));
        BufferSlice data = Text("lost");
        Assert.Equal(-Errno.ECONNREFUSED, Do(operation =>
        {
            if (isSendFirst)
            {
                Loop.Send(one, data, operation);
            }
            else
            {
                Loop.Receive(one, data, operation);
            }
        }));
        Assert.Equal(4, Do(operation => Loop.Send(one, Text("this"), operation)));
        Assert.Equal("this", ReceiveText(other));
        one.Close();
        other.Close();
    }

    [Fact]
    public void Sockets_with_one_local_port_each_hear_their_own_remote_end_only()
    {
        UdpEndpoint endpoint = CreateUdpEndpoint(false);
        int[] ports = [endpoint.RemotePort, UnusedUdpPort(), UnusedUdpPort()];
        IDatagramSocket[] here =
            [.. ports.Select(port => Loop.OpenDatagram(endpoint with { RemotePort = port }))];
        IDatagramSocket[] there = [.. here.Select(socket => Loop.OpenDatagram(Mirrored(socket.Endpoint)))];
        IDatagramSocket stranger = Loop.OpenDatagram(Mirrored(endpoint) with { LocalPort = UnusedUdpPort() });

        Do(operation => Loop.Send(stranger, Text("stranger"), operation));
        for (int i = here.Length - 1; i >= 0; i--)
        {
            Do(operation => Loop.Send(there[i], Text($"from {i}"), operation));
        }

        Assert.Equal(["from 0", "from 1", "from 2"], here.Select(ReceiveText).ToArray());
        Array.ForEach([.. here, .. there, stranger], socket => socket.Close());
    }

    [Fact]
    public void Closing_a_datagram_socket_cancels_its_receive_later_and_refuses_what_follows()
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair();
        Probe receive = NewProbe();
        Loop.Receive(one, Buffer(16), receive.Operation);
        Do(operation => Loop.StartTimer(Loop.NowNs + 1_000_000, operation));

        one.Close();
        one.Close();
        Assert.Equal(0, receive.Completions);
        RunUntilDone(receive);
        Assert.Equal(-Errno.ECANCELED, receive.Result);

        Assert.Equal(-Errno.ECANCELED, Do(operation => Loop.Send(one, Text("late"), operation)));
        Assert.Equal(-Errno.ECANCELED, Do(operation => Loop.Receive(one, Buffer(16), operation)));
        Do(operation => Loop.Send(other, Text("late"), operation));
        Do(operation => Loop.StartTimer(Loop.NowNs + 20_000_000, operation));
        Assert.Equal(1, receive.Completions);
        other.Close();
    }

    [Fact]
    public void Only_one_receive_of_a_datagram_may_be_pending()
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair();
        Probe receive = NewProbe();
        Loop.Receive(one, Buffer(16), receive.Operation);
        Assert.Throws<InvalidOperationException>(() => Loop.Receive(one, Buffer(16), NewProbe().Operation));
        one.Close();
        other.Close();
        RunUntilDone(receive);
    }

    [Fact]
    public void A_datagram_that_is_too_long_is_refused_and_the_socket_goes_on()
    {
        (IDatagramSocket one, IDatagramSocket other) = DatagramPair();
        Assert.Equal(-Errno.EMSGSIZE, Do(operation => Loop.Send(one, Buffer(65508), operation)));
        Assert.Equal(65507, Do(operation => Loop.Send(one, Buffer(65507, 9), operation)));
        BufferSlice into = Buffer(65508);
        Assert.Equal(65507, Do(operation => Loop.Receive(other, into, operation)));
        Assert.Equal(-1, into.Span[..65507].IndexOfAnyExcept((byte)9));
        one.Close();
        other.Close();
    }

    [Fact]
    public void Local_port_zero_is_replaced_by_a_free_one()
    {
        UdpEndpoint endpoint = CreateUdpEndpoint(false) with { LocalPort = 0 };
        IDatagramSocket one = Loop.OpenDatagram(endpoint);
        Assert.NotEqual(0, one.Endpoint.LocalPort);
        IDatagramSocket other = Loop.OpenDatagram(Mirrored(one.Endpoint));
        Do(operation => Loop.Send(other, Text("found"), operation));
        Assert.Equal("found", ReceiveText(one));
        one.Close();
        other.Close();
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.2")]
    [InlineData("0.0.0.0", "127.0.0.1")]
    [InlineData("::", "::1")]
    public void A_datagram_socket_needs_an_address_of_this_host(string local, string remote)
    {
        var endpoint = new UdpEndpoint(IPAddress.Parse(local), 7791, IPAddress.Parse(remote), 7792);
        IOException refusal = Assert.Throws<IOException>(() => Loop.OpenDatagram(endpoint));
        Assert.Contains("7791", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(remote, refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>The other end's endpoint.</summary>
    internal static UdpEndpoint Mirrored(UdpEndpoint endpoint) => new(
        endpoint.RemoteAddress, endpoint.RemotePort, endpoint.LocalAddress, endpoint.LocalPort,
        endpoint.Interface);

    private int UnusedUdpPort() => CreateUdpEndpoint(isV6: false).LocalPort;

    private (IDatagramSocket One, IDatagramSocket Other) DatagramPair(bool isV6 = false)
    {
        UdpEndpoint endpoint = CreateUdpEndpoint(isV6);
        return (Loop.OpenDatagram(endpoint), Loop.OpenDatagram(Mirrored(endpoint)));
    }

    private string ReceiveText(IDatagramSocket socket)
    {
        BufferSlice into = Buffer(64);
        int result = Do(operation => Loop.Receive(socket, into, operation));
        Assert.True(result >= 0, $"a receive of {socket.Endpoint} failed with {result}");
        return Text(into)[..result];
    }
}
