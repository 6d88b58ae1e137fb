using System.Net;
using MirrorD.Io.Linux;
using MirrorD.Io.Linux.Interop;
using MirrorD.Io.Linux.Sockets;
using MirrorD.Io.Linux.Loops;

namespace MirrorD.Io.Tests.Linux;

public sealed class TcpSocketTests
{
    private const long ConnectLimitNs = 2_000_000_000;

    [Fact]
    public void Both_ends_send_without_delay_and_notice_a_dead_peer()
    {
        using var driver = new LoopDriver();
        IListener listener = driver.Loop.Listen(new TcpEndpoint(IPAddress.Loopback, 0));
        (IConnection client, IConnection server) = driver.Connect(listener);
        foreach (IConnection end in new[] { client, server })
        {
            Assert.Equal(1, Option(end, NetinetIn.IPPROTO_TCP, Tcp.TCP_NODELAY));
            Assert.Equal(1, Option(end, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE));
            Assert.Equal(
                TcpOptions.KeepAliveIdleSeconds, Option(end, NetinetIn.IPPROTO_TCP, Tcp.TCP_KEEPIDLE));
            Assert.Equal(TcpOptions.UserTimeoutMs, Option(end, NetinetIn.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT));
            end.Close();
        }

        listener.Close();
    }

    [Fact]
    public void V6_works_like_v4()
    {
        using var driver = new LoopDriver();
        IListener listener = driver.Loop.Listen(new TcpEndpoint(IPAddress.IPv6Loopback, 0));
        (IConnection client, IConnection server) = driver.Connect(listener);
        Assert.StartsWith("[::1]:", client.Name, StringComparison.Ordinal);
        Assert.StartsWith("[::1]:", server.Name, StringComparison.Ordinal);
        Assert.Equal((IPAddress.IPv6Loopback, IPAddress.IPv6Loopback), (client.RemoteAddress, server.RemoteAddress));
        client.Close();
        server.Close();
        listener.Close();
    }

    [Fact]
    public void Callers_that_are_not_let_in_hear_nothing_until_they_are()
    {
        using var driver = new LoopDriver();
        IListener listener = driver.Loop.Listen(new TcpEndpoint(IPAddress.Parse("127.0.0.3"), 0));
        var endpoint = (TcpEndpoint)listener.Endpoint;
        var known = IPAddress.Parse("127.0.0.2");
        listener.LetIn([IPAddress.Parse("192.0.2.1"), known]);
        IoOperation other = driver.Operation();
        driver.Loop.Connect(endpoint with { LocalAddress = IPAddress.Loopback }, long.MaxValue, other);

        // It came first, and is not the one that is accepted.
        (IConnection client, IConnection server) = driver.Connect(listener, endpoint with { LocalAddress = known });
        Assert.Equal((known, true), (server.RemoteAddress, other.IsPending));
        Assert.Equal(-Errno.ENOENT, CallerFilter.LetAllIn(((LoopConnection)server).Fd));

        listener.LetIn(null);
        IoOperation accept = driver.Operation();
        driver.Loop.Accept(listener, accept);
        driver.RunUntil(() => !accept.IsPending && !other.IsPending, "the other one to ask again");
        Assert.Equal(IPAddress.Loopback, accept.Connection!.RemoteAddress);
        foreach (IConnection each in (IConnection[])[client, server, other.Connection!, accept.Connection])
        {
            each.Close();
        }

        listener.Close();
    }

    [Fact]
    public void Callers_are_known_by_the_whole_of_a_v6_address()
    {
        using var driver = new LoopDriver();
        IListener listener = driver.Loop.Listen(new TcpEndpoint(IPAddress.IPv6Loopback, 0));
        listener.LetIn([IPAddress.Parse("::2"), IPAddress.Parse("2001:db8::1")]);
        IoOperation other = driver.Operation();
        driver.Loop.Connect(listener.Endpoint, long.MaxValue, other);
        IoOperation refused = driver.Operation();
        driver.Loop.Connect(listener.Endpoint, 100_000_000, refused);
        driver.RunUntil(() => !refused.IsPending, "a connect that nobody answers to give up");
        Assert.Equal((-Errno.ETIMEDOUT, true), (refused.Result, other.IsPending));
        listener.LetIn([IPAddress.Parse("::2"), IPAddress.IPv6Loopback, IPAddress.Parse("2001:db8::1")]);
        driver.RunUntil(() => !other.IsPending, "the other one to ask again");
        Assert.Equal(0, other.Result);
        other.Connection!.Close();
        listener.Close();
    }

    [RootFact("ip")]
    public void A_connection_keeps_to_its_interface_and_source_address()
    {
        using var a = new NetworkNamespace();
        using var b = new NetworkNamespace();
        NetworkNamespace.Connect(a, b, "repl");
        NetworkNamespace.Connect(a, b, "prod");
        a.Ip("addr", "add", "10.98.2.1/24", "dev", "repl");
        a.Ip("addr", "add", "10.98.2.3/32", "dev", "repl");
        b.Ip("addr", "add", "10.98.2.2/24", "dev", "repl");
        LoopDriver serverSide = null!;
        IListener listener = null!;
        b.Run(() =>
        {
            serverSide = new LoopDriver(); // The socket belongs to the namespace in which it was made.
            listener = serverSide.Loop.Listen(new TcpEndpoint(IPAddress.Parse("10.98.2.2"), 0, "repl"));
        });
        int port = ((TcpEndpoint)listener.Endpoint).Port;
        IoOperation accept = serverSide.Operation();
        serverSide.Loop.Accept(listener, accept);

        a.Run(() =>
        {
            using var driver = new LoopDriver();
            var target = new TcpEndpoint(
                IPAddress.Parse("10.98.2.2"), port, "repl", IPAddress.Parse("10.98.2.3"));
            Assert.Equal(0, driver.Do(operation => driver.Loop.Connect(target, ConnectLimitNs, operation)));

            // Through the other interface there is no way to that address.
            int result = driver.Do(operation => driver.Loop.Connect(
                target with { Interface = "prod", LocalAddress = null }, ConnectLimitNs, operation));
            Assert.Contains(result, new[] { -Errno.ENETUNREACH, -Errno.EHOSTUNREACH, -Errno.ETIMEDOUT });
            Assert.Equal(-LinuxError.ENODEV, driver.Do(operation =>
                driver.Loop.Connect(target with { Interface = "absent" }, ConnectLimitNs, operation)));
            Assert.Equal(-Errno.EADDRNOTAVAIL, driver.Do(operation => driver.Loop.Connect(
                target with { LocalAddress = IPAddress.Parse("10.98.2.77") }, ConnectLimitNs, operation)));
        });

        serverSide.RunUntil(() => !accept.IsPending, "the connection from the bound address");
        Assert.StartsWith("10.98.2.3:", accept.Connection!.Name, StringComparison.Ordinal);
        accept.Connection.Close();
        listener.Close();
        serverSide.Dispose();
    }

    [RootFact("ip")]
    public void Listening_on_what_is_not_there_names_the_cause()
    {
        using var driver = new LoopDriver();
        string absent = Refusal(driver, new TcpEndpoint(IPAddress.Parse("192.0.2.1"), 7789));
        Assert.Contains("192.0.2.1:7789", absent, StringComparison.Ordinal);
        Assert.Contains("No interface of this host", absent, StringComparison.Ordinal);
        string noInterface = Refusal(driver, new TcpEndpoint(IPAddress.Any, 0, "absent0"));
        Assert.Contains("no such network interface", noInterface, StringComparison.Ordinal);
    }

    private static string Refusal(LoopDriver driver, Endpoint endpoint) =>
        Assert.Throws<IOException>(() => driver.Loop.Listen(endpoint)).Message;

    private static unsafe int Option(IConnection connection, int level, int name)
    {
        int value = 0;
        uint length = sizeof(int);
        Assert.Equal(0, Socket.getsockopt(((LoopConnection)connection).Fd, level, name, &value, &length));
        return value;
    }
}
