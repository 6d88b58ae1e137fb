using System.Net;
using MirrorD.Io.Simulated;

namespace MirrorD.Io.Tests.Simulated;

public class SimulatedWorldTests
{
    private static readonly TcpEndpoint AtB = new(IPAddress.Parse("10.0.0.2"), 7000);

    [Fact]
    public void Equal_seeds_give_equal_histories_and_different_seeds_different_ones()
    {
        Assert.Equal(HistoryOf(7), HistoryOf(7));
        Assert.NotEqual(HistoryOf(7), HistoryOf(8));
    }

    [Fact]
    public void The_random_numbers_are_those_of_xoshiro256_starstar_and_splitmix64()
    {
        // Computed independently from the definitions of both generators, seed 0.
        var random = new SeededRandom(0);
        Assert.Equal(0x99ec5f36cb75f2b4UL, random.NextBits());
        Assert.Equal(0xbf6e1f784956452aUL, random.NextBits());
    }

    [Fact]
    public void Nothing_arrives_over_a_cut_path_and_in_some_seeds_it_goes_on_once_mended()
    {
        HashSet<bool> arrivedAfterMending = [];
        for (ulong seed = 0; seed < 50; seed++)
        {
            var pair = new Pair(seed);
            pair.World.Network.CutOneWay("a", "b");
            Probe received = pair.Receive();
            pair.Send();
            Assert.False(pair.World.RunUntil(() => received.Done, 60_000_000_000));
            pair.World.Network.Mend("a", "b");
            arrivedAfterMending.Add(pair.World.RunUntil(() => received.Done, 60_000_000_000));
        }

        Assert.Equal(2, arrivedAfterMending.Count);
    }

    [Fact]
    public void The_other_direction_of_a_one_way_cut_still_works()
    {
        var pair = new Pair(1);
        pair.World.Network.CutOneWay("b", "a");
        Probe received = pair.Receive();
        pair.Send();
        Assert.True(pair.World.RunUntil(() => received.Done, 1_000_000_000));
    }

    [Fact]
    public void A_killed_peer_is_seen_as_end_or_reset()
    {
        HashSet<int> results = [];
        for (ulong seed = 0; seed < 50; seed++)
        {
            var pair = new Pair(seed);
            Probe received = pair.Receive();
            pair.World.CrashProcess("a");
            Assert.True(pair.World.RunUntil(() => received.Done, 1_000_000_000));
            results.Add(received.Result);
        }

        Assert.Equal([-Errno.ECONNRESET, 0], results.Order());
    }

    [Fact]
    public void A_peer_without_power_is_silent()
    {
        var pair = new Pair(1);
        Probe received = pair.Receive();
        pair.World.PowerCut("a");
        Assert.False(pair.World.RunUntil(() => received.Done, 600_000_000_000));
    }

    [Fact]
    public void Connecting_tells_a_dead_process_from_a_dead_host()
    {
        Assert.Equal(-Errno.ECONNREFUSED, ConnectAfter(world => world.CrashProcess("b")));
        Assert.Equal(-Errno.ETIMEDOUT, ConnectAfter(world => world.PowerCut("b")));
        Assert.Equal(-Errno.ETIMEDOUT, ConnectAfter(world => world.Network.Cut("a", "b")));
        Assert.Equal(-Errno.ETIMEDOUT, ConnectAfter(world => world.Network.CutOneWay("b", "a")));
    }

    [Fact]
    public void A_dead_process_gets_no_completions()
    {
        var world = new SimulatedWorld(1);
        SimulatedLoop loop = world.CreateLoop("a");
        var timer = new Probe();
        loop.StartTimer(loop.NowNs + 1_000, timer.Operation);
        world.CrashProcess("a");
        world.RunUntil(() => false, 1_000_000_000);
        Assert.False(timer.Done);
    }

    private static int ConnectAfter(Action<SimulatedWorld> fault)
    {
        var pair = new Pair(3);
        fault(pair.World);
        var connect = new Probe();
        pair.A.Connect(AtB, 1_000_000_000, connect.Operation);
        Assert.True(pair.World.RunUntil(() => connect.Done, 2_000_000_000));
        return connect.Result;
    }

    private static ulong HistoryOf(ulong seed)
    {
        var pair = new Pair(seed);
        Probe received = pair.Receive();
        pair.Send();
        pair.World.RunUntil(() => received.Done, 1_000_000_000);
        return pair.World.Fingerprint;
    }

    private sealed class Probe
    {
        public Probe() => Operation = new IoOperation(operation =>
        {
            Done = true;
            Result = operation.Result;
        });

        public IoOperation Operation { get; }

        public bool Done { get; private set; }

        public int Result { get; private set; }
    }

    private sealed class Pair
    {
        private readonly IConnection _atA;
        private readonly IConnection _atB;

        public Pair(ulong seed)
        {
            World = new SimulatedWorld(seed);
            A = World.CreateLoop("a");
            B = World.CreateLoop("b");
            World.AddAddress("a", IPAddress.Parse("10.0.0.1"));
            World.AddAddress("b", AtB.Address);
            var accept = new Probe();
            var connect = new Probe();
            B.Accept(B.Listen(AtB), accept.Operation);
            A.Connect(AtB, 1_000_000_000, connect.Operation);
            Assert.True(World.RunUntil(() => accept.Done && connect.Done, 2_000_000_000));
            _atA = connect.Operation.Connection!;
            _atB = accept.Operation.Connection!;
        }

        public SimulatedWorld World { get; }

        public SimulatedLoop A { get; }

        public SimulatedLoop B { get; }

        public Probe Receive()
        {
            var probe = new Probe();
            B.Receive(_atB, new IoBuffer(16).Slice(0, 16), 16, probe.Operation);
            return probe;
        }

        public void Send() => A.Send(_atA, new IoBuffer(16).Slice(0, 16), new Probe().Operation);
    }
}
