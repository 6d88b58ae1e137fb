using MirrorD.Core.Failover;
using MirrorD.Formats;
using MirrorD.Formats.Watch;
using MirrorD.Io;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Watch;

/// <summary>
/// Somebody on the network sends what he recorded, or anything at all, from the peer's address.
/// </summary>
public class PeerWatchReplayTests
{
    private const long Ms = WatchWorld.Ms;

    [Fact]
    public void A_recording_of_this_very_run_keeps_no_path_alive()
    {
        var world = new WatchWorld();
        world.Pass(3000);
        world.World.PowerCut("b");
        Replay(world, everyMs: 20);
        world.Until("lost in spite of it", () => world.A.Mail.Picture.AreAllLost, 1200);
        world.Pass(5000);
        Assert.Equal("peer-lost", world.A.Kinds);
    }

    [Fact]
    public void A_recording_of_an_earlier_run_of_this_node_never_makes_a_path_up_and_reports_nothing()
    {
        var world = new WatchWorld();
        world.B.Mail.Beat = world.B.Mail.Beat with { Role = Role.Primary, IsServing = true };
        world.Pass(3000);
        world.World.PowerCut("b");
        world.A.Crash();
        world.A.Start();
        Replay(world, everyMs: 20);
        world.Pass(5000);
        Assert.Contains(world.A.Mail.Pictures, picture => picture.IsHeard);
        Assert.DoesNotContain(world.A.Mail.Pictures, picture => picture.IsAnyUp);
        Assert.DoesNotContain(world.A.Mail.Pictures, picture => picture.Report is not null);
    }

    [Fact]
    public void A_recording_of_an_earlier_run_of_the_peer_does_not_disturb_the_present_one()
    {
        var world = new WatchWorld();
        world.B.Mail.Beat = world.B.Mail.Beat with { Role = Role.Primary, IsServing = true };
        world.Pass(3000);
        world.B.Crash();

        // The recording arrives between the live datagrams, from the same address.
        Replay(world, everyMs: 20);
        world.B.Start();
        world.Until("the new run's report", () => world.A.Mail.Picture.Report?.Role == Role.Standby, 500);
        world.A.Mail.Pictures.Clear();
        world.Pass(10_000);
        Assert.Empty(world.A.Events);
        Assert.Equal(2, world.A.Ups);
        Assert.Equal(2, world.B.Ups);
        Assert.DoesNotContain(world.A.Mail.Pictures, picture => picture.Report?.Role == Role.Primary);
    }

    [Fact]
    public void A_recorded_message_is_obeyed_only_once_and_never_by_another_run()
    {
        var world = new WatchWorld();
        world.B.Watch.Send("mail", new ControlMessage.Goodbye(true, new SessionId(4), new Generation(5)));
        world.Until("the message", () => world.A.Mail.Messages.Count == 1);
        world.World.PowerCut("b");
        Replay(world, everyMs: 1);
        world.Pass(1000);
        Assert.Single(world.A.Mail.Messages);

        world.A.Crash();
        world.A.Start();
        Replay(world, everyMs: 1);
        world.Pass(1000);
        Assert.Empty(world.A.Mail.Messages);
    }

    [Fact]
    public void A_message_that_waited_while_this_process_stood_still_is_not_obeyed()
    {
        var world = new WatchWorld();
        world.World.Pause("a", 3000 * Ms);
        world.Pass(1500);
        world.B.Watch.Send("mail", new ControlMessage.Goodbye(true, new SessionId(4), new Generation(5)));
        world.Pass(5000);
        Assert.Equal(2, world.A.Ups);
        Assert.Empty(world.A.Mail.Messages);
    }

    [Fact]
    public void What_was_recorded_on_one_network_counts_for_nothing_on_the_other()
    {
        var world = new WatchWorld();
        world.Pass(2000);
        world.B.Crash();
        world.A.Crash();
        world.A.Start();
        var attacker = new Attacker(
            world.World.CreateLoop("b"), "production", Recorded(world, "dedicated"), 20);
        attacker.Start();
        world.Pass(3000);
        Assert.DoesNotContain(world.A.Mail.Pictures, picture => picture.IsHeard);
        Assert.Contains("another path", world.A.Events.Single(e => e.Kind == "watch-garbage").Message);
    }

    [Fact]
    public void A_node_that_hears_itself_hears_nobody()
    {
        var world = new WatchWorld();
        world.Pass(1000);
        world.B.Crash();
        byte[][] own = [.. world.Sent.Where(s => s is ("a", "dedicated", _)).Select(s => s.Bytes)];
        new Attacker(world.World.CreateLoop("b"), "dedicated", own, 20).Start();
        world.Until("lost", () => world.A.State("dedicated") == PathState.Lost, 1500);
    }

    [Fact]
    public void A_flood_of_garbage_is_one_event_a_minute_and_disturbs_nothing()
    {
        var world = new WatchWorld();
        var random = new Random(5);
        byte[][] garbage = [.. Enumerable.Range(0, 100).Select(i =>
        {
            byte[] bytes = [.. world.Sent[random.Next(world.Sent.Count)].Bytes];
            Array.Resize(ref bytes, i % 3 == 0 ? random.Next(1, 2000) : bytes.Length);
            bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            return bytes;
        })];
        world.B.Crash();
        new Attacker(world.World.CreateLoop("b"), "dedicated", garbage, 1) { IsEndless = true }.Start();
        world.B.Start();
        world.Pass(59_000);
        Assert.Equal("watch-garbage", world.A.Kinds);
        Assert.True(world.A.Watch.GarbageDatagrams > 50_000, $"{world.A.Watch.GarbageDatagrams}");
        Assert.Equal(2, world.A.Ups);
        Assert.Equal(2, world.B.Ups);
        world.Pass(10_000);
        Assert.Equal("watch-garbage watch-garbage", world.A.Kinds);
    }

    [Fact]
    public void Nodes_with_different_keys_do_not_hear_each_other_and_say_why()
    {
        var world = new WatchWorld(start: false);
        world.A.Start();
        world.B.Start(key: new byte[32]);
        world.Pass(3000);
        Assert.True(world.A.Mail.Picture.AreAllLost);
        Assert.True(world.B.Mail.Picture.AreAllLost);
        Assert.Contains("different keys", world.A.Events.Single(e => e.Kind == "watch-garbage").Message);
    }

    /// <summary>All that b has sent is sent again from its addresses, over and over.</summary>
    private static void Replay(WatchWorld world, int everyMs)
    {
        foreach (string network in WatchWorld.Networks)
        {
            new Attacker(world.World.CreateLoop("b"), network, Recorded(world, network), everyMs)
            {
                IsEndless = true,
            }.Start();
        }
    }

    private static byte[][] Recorded(WatchWorld world, string network) =>
        [.. world.Sent.Where(s => s.From == "b" && s.Network == network).Select(s => s.Bytes)];

    /// <summary>Sends datagrams from b's address to a.</summary>
    private sealed class Attacker
    {
        private readonly SimulatedLoop _loop;
        private readonly byte[][] _datagrams;
        private readonly long _everyNs;
        private readonly IDatagramSocket _socket;
        private readonly IoBuffer _memory = new(4096);
        private readonly IoOperation _timer;
        private readonly IoOperation _send = new(_ => { });
        private int _next;

        public Attacker(SimulatedLoop loop, string network, byte[][] datagrams, int everyMs)
        {
            Assert.NotEmpty(datagrams);
            _loop = loop;
            _datagrams = datagrams;
            _everyNs = everyMs * Ms;
            _socket = loop.OpenDatagram(WatchWorld.Ends(network, "b", "a"));
            _timer = new IoOperation(_ => SendNext());
        }

        public bool IsEndless { get; init; }

        public void Start() => _loop.StartTimer(_loop.NowNs, _timer);

        private void SendNext()
        {
            if (_next == _datagrams.Length && IsEndless)
            {
                _next = 0;
            }

            if (_next < _datagrams.Length)
            {
                byte[] bytes = _datagrams[_next++];
                bytes.CopyTo(_memory.Span);
                _loop.Send(_socket, _memory.Slice(0, bytes.Length), _send);
                _loop.StartTimer(_loop.NowNs + _everyNs, _timer);
            }
        }
    }
}
