using System.Net;
using MirrorD.Io.Simulated;

namespace MirrorD.Io.Tests.Simulated;

public class SimulatedNetworksTests
{
    private const long Second = 1_000_000_000;
    private const string Production = "production";
    private static readonly IPAddress DedicatedB = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress ProductionB = IPAddress.Parse("10.1.0.2");

    [Fact]
    public void A_connection_is_stopped_by_a_cut_of_the_network_of_its_address_only()
    {
        SimulatedWorld world = World();
        world.Network.Cut(Production, "a", "b");
        Assert.Equal(0, ConnectTo(world, DedicatedB));
        Assert.Equal(-Errno.ETIMEDOUT, ConnectTo(world, ProductionB));

        world.Network.Mend(Production, "a", "b");
        world.Network.CutOneWay("dedicated", "b", "a");
        Assert.Equal(-Errno.ETIMEDOUT, ConnectTo(world, DedicatedB));
        Assert.Equal(0, ConnectTo(world, ProductionB));
    }

    [Fact]
    public void A_cut_of_another_network_does_not_hold_up_bytes_of_an_open_connection()
    {
        SimulatedWorld world = World();
        (SimulatedLoop a, IConnection client, SimulatedLoop b, IConnection server) = Connected(world, DedicatedB);
        world.Network.Cut(Production, "a", "b");
        var first = new IoOperation(_ => { });
        b.Receive(server, new IoBuffer(8).Slice(0, 8), 8, first);
        a.Send(client, new IoBuffer(8).Slice(0, 8), new IoOperation(_ => { }));
        Assert.True(world.RunUntil(() => !first.IsPending, Second));

        world.Network.Cut("dedicated", "a", "b");
        b.Receive(server, new IoBuffer(8).Slice(0, 8), 8, first);
        a.Send(client, new IoBuffer(8).Slice(0, 8), new IoOperation(_ => { }));
        Assert.False(world.RunUntil(() => !first.IsPending, Second));
    }

    [Fact]
    public void Cutting_and_mending_without_a_name_means_all_networks()
    {
        SimulatedNetwork network = World().Network;
        network.CutOneWay("a", "b");
        Assert.True(network.IsCut("dedicated", "a", "b"));
        Assert.True(network.IsCut(Production, "a", "b"));
        Assert.True(network.IsCut("a", "b"));
        Assert.False(network.IsCut("b", "a"));

        network.Mend(Production, "a", "b");
        Assert.False(network.IsCut("a", "b"));
        Assert.True(network.IsCut("dedicated", "a", "b"));

        network.Cut("a", "b");
        Assert.True(network.IsCut("b", "a"));
        network.Mend("b", "a");
        Assert.False(network.IsCut("dedicated", "a", "b"));
        Assert.False(network.IsCut(Production, "b", "a"));
    }

    [Fact]
    public void A_plain_name_is_reached_unless_the_way_is_cut_or_a_host_is_off()
    {
        SimulatedWorld world = World();
        SimulatedNetwork network = world.Network;
        Assert.True(network.Reaches(Production, "a", "gateway"));
        network.CutOneWay(Production, "gateway", "a");
        Assert.True(network.Reaches(Production, "a", "gateway"));
        Assert.False(network.Reaches(Production, "gateway", "a"));
        Assert.True(network.Reaches(Production, "gateway", "b"));
        Assert.True(network.Reaches("dedicated", "gateway", "a"));

        world.PowerCut("gateway");
        Assert.False(network.Reaches(Production, "gateway", "b"));
        Assert.False(network.Reaches(Production, "b", "gateway"));
        world.SwitchOn("gateway");
        Assert.True(network.Reaches(Production, "b", "gateway"));

        world.PowerCut("a");
        Assert.False(network.Reaches(Production, "a", "client"));
        Assert.False(network.Reaches(Production, "a", "a"));
        world.CreateLoop("a");
        world.CrashProcess("a");
        Assert.True(network.Reaches(Production, "a", "client"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_jump_of_the_clock_fires_what_is_due_in_order_and_brings_the_rest_nearer(bool isPaused)
    {
        var world = new SimulatedWorld(1);
        SimulatedLoop a = world.CreateLoop("a");
        SimulatedLoop b = world.CreateLoop("b");
        List<string> fired = [];
        int[] seconds = [5, 9, 3, 7, 60, 4, 8, 6];
        string[] due = [.. seconds.Order().SkipLast(1).Select(second => $"a {second}")];
        foreach (int second in seconds)
        {
            Start(a, $"a {second}", second * Second);
        }

        Start(b, "b 5", 5 * Second);
        IoOperation cancelled = Start(a, "cancelled", 4 * Second);
        a.CancelTimer(cancelled);
        world.RunUntil(() => false, Second);
        fired.Clear();
        if (isPaused)
        {
            world.Pause("a", Second / 2);
        }

        long aNs = a.NowNs;
        long bNs = b.NowNs;

        world.JumpClock("a", 10 * Second);
        Assert.Equal(aNs + (10 * Second), a.NowNs);
        Assert.Equal(bNs, b.NowNs);
        world.RunUntil(() => false, Second);
        Assert.Equal(due, fired);
        Assert.False(world.RunUntil(() => fired.Contains("a 60"), 47 * Second));
        Assert.True(world.RunUntil(() => fired.Contains("a 60"), (Second * 3) / 2));
        Assert.Equal([.. due, "b 5", "a 60"], fired);

        IoOperation Start(SimulatedLoop loop, string name, long afterNs)
        {
            var timer = new IoOperation(_ => fired.Add(name));
            loop.StartTimer(loop.NowNs + afterNs, timer);
            return timer;
        }
    }

    [Fact]
    public void A_jump_of_the_clock_ends_the_time_limit_of_a_connect_but_not_a_pause()
    {
        SimulatedWorld world = World();
        SimulatedLoop a = world.CreateLoop("a");
        world.Network.Cut("a", "b");
        var connect = new IoOperation(_ => { });
        a.Connect(new TcpEndpoint(DedicatedB, 7000), 100 * Second, connect);
        world.Pause("a", 5 * Second);
        world.JumpClock("a", 200 * Second);
        Assert.False(world.RunUntil(() => !connect.IsPending, 4 * Second));
        Assert.True(world.RunUntil(() => !connect.IsPending, 2 * Second));
        Assert.Equal(-Errno.ETIMEDOUT, connect.Result);
    }

    [Fact]
    public void The_clock_does_not_jump_back() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => World().JumpClock("a", -1));

    private static SimulatedWorld World()
    {
        var world = new SimulatedWorld(5);
        world.AddAddress("a", IPAddress.Parse("10.0.0.1"));
        world.AddAddress("b", DedicatedB);
        world.AddAddress("a", IPAddress.Parse("10.1.0.1"), Production);
        world.AddAddress("b", ProductionB, Production);
        return world;
    }

    private static int ConnectTo(SimulatedWorld world, IPAddress address)
    {
        IListener listener = world.CreateLoop("b").Listen(new TcpEndpoint(address, 7000));
        var connect = new IoOperation(_ => { });
        world.CreateLoop("a").Connect(listener.Endpoint, Second, connect);
        Assert.True(world.RunUntil(() => !connect.IsPending, 2 * Second));
        listener.Close();
        return connect.Result;
    }

    private static (SimulatedLoop A, IConnection Client, SimulatedLoop B, IConnection Server) Connected(
        SimulatedWorld world, IPAddress address)
    {
        SimulatedLoop a = world.CreateLoop("a");
        SimulatedLoop b = world.CreateLoop("b");
        var accept = new IoOperation(_ => { });
        var connect = new IoOperation(_ => { });
        IListener listener = b.Listen(new TcpEndpoint(address, 7000));
        b.Accept(listener, accept);
        a.Connect(listener.Endpoint, Second, connect);
        Assert.True(world.RunUntil(() => !accept.IsPending && !connect.IsPending, 2 * Second));
        return (a, connect.Connection!, b, accept.Connection!);
    }
}
