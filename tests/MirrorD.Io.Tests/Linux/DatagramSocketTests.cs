using System.Net;
using System.Net.Sockets;
using System.Text;
using MirrorD.Io.Linux;

namespace MirrorD.Io.Tests.Linux;

public sealed class DatagramSocketTests
{
    private const string Interface = "repl";
    private static readonly IPAddress AtA = IPAddress.Parse("10.98.3.1");
    private static readonly IPAddress AtB = IPAddress.Parse("10.98.3.2");

    [RootTheory("ip")]
    [InlineData("10.98.3.1", "10.98.3.2", "24")]
    [InlineData("fd98::1", "fd98::2", "64")]
    public void A_datagram_socket_keeps_to_its_interface(string one, string other, string prefix)
    {
        using var a = new NetworkNamespace();
        using var b = new NetworkNamespace();
        NetworkNamespace.Connect(a, b, Interface);
        a.AddInterface("prod"); // Not connected to b, which would answer for its addresses there as well.
        AddAddress(a, one, prefix);
        AddAddress(b, other, prefix);
        var endpoint = new UdpEndpoint(IPAddress.Parse(one), 7791, IPAddress.Parse(other), 7791, Interface);
        using LoopDriver atB = OpenIn(b, Mirrored(endpoint), out IDatagramSocket receiver);
        a.Run(() =>
        {
            using var driver = new LoopDriver();
            IDatagramSocket right = driver.Loop.OpenDatagram(endpoint);
            SendThroughTheWrongInterface(driver, endpoint with { Interface = "prod" });
            Assert.Equal(5, Send(driver, right, "right"));
            right.Close();
        });

        Assert.Equal("right", Receive(atB, receiver));
        receiver.Close();
    }

    [RootFact("ip")]
    public void A_send_without_a_way_fails_and_goes_on_once_there_is_one()
    {
        using var a = new NetworkNamespace();
        using var b = new NetworkNamespace();
        NetworkNamespace.Connect(a, b, Interface);
        AddAddress(a, $"{AtA}", "24");
        AddAddress(b, $"{AtB}", "24");
        var endpoint = new UdpEndpoint(AtA, 7791, AtB, 7791, Interface);
        using LoopDriver atB = OpenIn(b, Mirrored(endpoint), out IDatagramSocket receiver);
        a.Run(() =>
        {
            using var driver = new LoopDriver();
            IDatagramSocket socket = driver.Loop.OpenDatagram(endpoint);
            Assert.Equal(6, Send(driver, socket, "before"));
            a.Ip("link", "set", Interface, "down");
            int[] expected = [-Errno.ENETDOWN, -Errno.ENETUNREACH, -Errno.EHOSTUNREACH];
            Assert.Contains(Send(driver, socket, "down"), expected);
            Assert.Contains(Send(driver, socket, "down"), expected);
            a.Ip("link", "set", Interface, "up");
            a.WaitUntilUp(Interface);
            Assert.Equal(5, Send(driver, socket, "after"));
            socket.Close();
        });

        Assert.Equal(["before", "after"], new[] { Receive(atB, receiver), Receive(atB, receiver) });
        receiver.Close();
    }

    [RootFact("ip", "nft")]
    public void A_send_that_a_packet_filter_drops_is_told_and_the_socket_goes_on()
    {
        using var a = new NetworkNamespace();
        a.Run(() =>
        {
            using var driver = new LoopDriver();
            var endpoint = new UdpEndpoint(IPAddress.Loopback, 7791, IPAddress.Loopback, 7792);
            IDatagramSocket socket = driver.Loop.OpenDatagram(endpoint);
            IDatagramSocket receiver = driver.Loop.OpenDatagram(Mirrored(endpoint));
            a.Nft("add table ip t");
            a.Nft("add chain ip t out { type filter hook output priority 0 ; policy drop ; }");
            Assert.Equal(-Errno.EPERM, Send(driver, socket, "dropped"));
            a.Nft("delete table ip t");
            Assert.Equal(6, Send(driver, socket, "passed"));
            Assert.Equal("passed", Receive(driver, receiver));
            socket.Close();
            receiver.Close();
        });
    }

    [Fact]
    public void Opening_a_datagram_socket_on_what_is_not_there_names_the_cause()
    {
        UdpEndpoint here = LinuxLoopContractTests.FreeUdpEndpoint();
        Assert.Contains("No interface of this host",
            Refusal(here with { LocalAddress = IPAddress.Parse("192.0.2.1") }), StringComparison.Ordinal);
        string noInterface = Refusal(here with { Interface = "absent0" });
        Assert.Contains("no such network interface", noInterface, StringComparison.Ordinal);
        Assert.Contains("on absent0", noInterface, StringComparison.Ordinal);
        Refusal(here with { RemoteAddress = IPAddress.IPv6Loopback });
    }

    [Fact]
    public void What_a_stranger_sends_while_a_socket_is_opened_is_never_received()
    {
        UdpEndpoint endpoint = LinuxLoopContractTests.FreeUdpEndpoint();
        using var driver = new LoopDriver();
        using var stranger = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var target = new IPEndPoint(endpoint.LocalAddress, endpoint.LocalPort);
        bool isOver = false;
        var flood = new Thread(() =>
        {
            while (!Volatile.Read(ref isOver))
            {
                stranger.SendTo("stranger"u8, target);
            }
        });
        flood.Start();
        try
        {
            IDatagramSocket peer = driver.Loop.OpenDatagram(Mirrored(endpoint));
            for (int i = 0; i < 2000; i++)
            {
                IDatagramSocket socket = driver.Loop.OpenDatagram(endpoint);
                Send(driver, peer, "friend");
                Assert.Equal("friend", Receive(driver, socket));
                socket.Close();
            }

            peer.Close();
        }
        finally
        {
            Volatile.Write(ref isOver, true);
            flood.Join();
        }
    }

    private static UdpEndpoint Mirrored(UdpEndpoint endpoint) => LoopContractTests.Mirrored(endpoint);

    private static void AddAddress(NetworkNamespace network, string address, string prefix)
    {
        string[] noProbe = address.Contains(':', StringComparison.Ordinal) ? ["nodad"] : [];
        network.Ip(["addr", "add", $"{address}/{prefix}", "dev", Interface, .. noProbe]);
    }

    /// <summary>A socket of another namespace: it belongs to the one in which it was made.</summary>
    private static LoopDriver OpenIn(NetworkNamespace network, UdpEndpoint endpoint, out IDatagramSocket socket)
    {
        LoopDriver driver = null!;
        IDatagramSocket opened = null!;
        network.Run(() =>
        {
            driver = new LoopDriver();
            opened = driver.Loop.OpenDatagram(endpoint);
        });
        socket = opened;
        return driver;
    }

    /// <summary>
    /// There is no way to that address: opening fails, or sending fails, or the datagram is lost.
    /// </summary>
    private static void SendThroughTheWrongInterface(LoopDriver driver, UdpEndpoint endpoint)
    {
        try
        {
            IDatagramSocket wrong = driver.Loop.OpenDatagram(endpoint);
            Send(driver, wrong, "wrong");
            wrong.Close();
        }
        catch (IOException refusal)
        {
            Assert.Contains("on prod", refusal.Message, StringComparison.Ordinal);
        }
    }

    private static int Send(LoopDriver driver, IDatagramSocket socket, string text)
    {
        BufferSlice from = driver.Buffer(text.Length);
        Encoding.ASCII.GetBytes(text, from.Span);
        return driver.Do(operation => driver.Loop.Send(socket, from, operation));
    }

    private static string Receive(LoopDriver driver, IDatagramSocket socket)
    {
        BufferSlice into = driver.Buffer(64);
        int result = driver.Do(operation => driver.Loop.Receive(socket, into, operation));
        Assert.True(result >= 0, $"a receive of {socket} failed with {result}");
        return Encoding.ASCII.GetString(into.Span[..result]);
    }

    private static string Refusal(UdpEndpoint endpoint)
    {
        using var driver = new LoopDriver();
        string message = Assert.Throws<IOException>(() => driver.Loop.OpenDatagram(endpoint)).Message;
        Assert.Contains($"{endpoint.LocalAddress}:{endpoint.LocalPort}", message, StringComparison.Ordinal);
        return message;
    }
}
