using System.Net;
using MirrorD.Core.Failover;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Watch;

/// <summary>
/// Nodes a and b, each with a watch over the other, over a dedicated and a production network; heartbeats
/// each 100 ms, dead after a second.
/// </summary>
internal sealed class WatchWorld
{
    public const long Ms = 1_000_000;
    public const int Port = 7780;

    public static readonly string[] Networks = ["dedicated", "production"];

    private static readonly byte[] s_key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    public WatchWorld(ulong seed = 1, bool start = true)
    {
        World = new SimulatedWorld(seed);
        A = new Node(this, "a", "b", 1);
        B = new Node(this, "b", "a", 2);
        if (start)
        {
            A.Start();
            B.Start();
            Until("all paths up", () => A.Ups == 2 && B.Ups == 2);
            Pass(1500);
        }
    }

    public SimulatedWorld World { get; }

    public Node A { get; }

    public Node B { get; }

    public SimulatedNetwork Network => World.Network;

    /// <summary>All datagrams that watches sent: who, over which network, and the bytes.</summary>
    public List<(string From, string Network, byte[] Bytes)> Sent { get; } = [];

    public void Until(string what, Func<bool> condition, long limitMs = 10_000) => Assert.True(
        World.RunUntil(condition, limitMs * Ms),
        $"waited {limitMs} ms for: {what}\na: {A.Describe()}\nb: {B.Describe()}");

    public void Pass(long durationMs) => World.RunUntil(() => false, durationMs * Ms);

    public static IPAddress Address(string network, string node) =>
        IPAddress.Parse($"10.0.{Array.IndexOf(Networks, network)}.{(node == "a" ? 1 : 2)}");

    public static UdpEndpoint Ends(string network, string from, string to) =>
        new(Address(network, from), Port, Address(network, to), Port);

    public sealed class Node
    {
        private readonly WatchWorld _world;
        private readonly string _peer;
        private readonly NodeId _id;

        public Node(WatchWorld world, string name, string peer, int number)
        {
            _world = world;
            Name = name;
            _peer = peer;
            _id = new NodeId(new Guid(number, 0, 0, new byte[8]));
            foreach (string network in Networks)
            {
                world.World.AddAddress(name, Address(network, name), network);
            }
        }

        public string Name { get; }

        public SimulatedLoop Loop { get; private set; } = null!;

        public PeerWatch Watch { get; private set; } = null!;

        /// <summary>The resource of the pair; made anew at each start.</summary>
        public WatchedDouble Mail { get; private set; } = new("mail");

        public BootId Boot { get; set; } = new(new Guid(9, 0, 0, new byte[8]));

        public List<(string? Resource, string Kind, string Message, long AtNs)> Events { get; } = [];

        public string Kinds => string.Join(' ', Events.Select(e => e.Kind));

        public int Ups => Watch.Sights.Count(sight => sight.State == PathState.Up);

        public PathState State(string network) =>
            Watch.Sights.Single(sight => sight.Name.StartsWith(network, StringComparison.Ordinal)).State;

        /// <summary>Starts a process of mirrord there: another run.</summary>
        public void Start(Action<PeerWatchOptions>? look = null, byte[]? key = null, WatchedDouble? mail = null)
        {
            Loop = _world.World.CreateLoop(Name);
            var options = new PeerWatchOptions
            {
                NodeName = Name,
                Node = _id,
                Boot = Boot,
                PeerName = _peer,
                Key = key ?? s_key,
                Paths = [.. Networks.Select((network, i) => new WatchPath(
                    $"{network} {Address(network, Name)}", (PathKind)i, 0, Ends(network, Name, _peer)))],
                IntervalMs = 100,
                DeadAfterMs = 1000,
                NewIdentifier = () => _world.World.Random.NextBits() | 1,
                Raise = (resource, happened) => Events.Add(
                    (resource, happened.Kind, happened.Message, _world.World.NowNs)),
            };
            look?.Invoke(options);
            var tapped = new TappedLoop(Loop, (endpoint, bytes) =>
                _world.Sent.Add(
                    (Name, Networks.Single(network => Ends(network, Name, _peer) == endpoint), bytes)));
            Watch = new PeerWatch(tapped, options);
            Mail = mail ?? new WatchedDouble("mail");
            Watch.Add(Mail);
            Watch.Start();
        }

        public void Crash() => _world.World.CrashProcess(Name);

        public string Describe() => string.Join(", ", Watch.Sights.Select(s => $"{s.Name} {s.State}"))
            + "; " + string.Join(" | ", Events.Select(e => e.Message));
    }
}
