using MirrorD.Core.Failover;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Formats.Watch;

namespace MirrorD.Engine.Tests.Watch;

/// <summary>Two watches over simulated networks.</summary>
public class PeerWatchTests
{
    private const long Ms = WatchWorld.Ms;

    [Fact]
    public void Both_hear_each_other_on_all_paths_within_a_few_intervals_and_without_events()
    {
        var world = new WatchWorld(start: false);
        world.A.Start();
        world.Pass(370);
        world.B.Start();
        world.Until("all paths up", () => world.A.Ups == 2 && world.B.Ups == 2, 300);
        world.Pass(5000);
        Assert.Empty(world.A.Events);
        Assert.Empty(world.B.Events);
    }

    [Fact]
    public void A_resource_learns_what_the_peer_tells_of_it_and_every_change_within_an_interval()
    {
        var world = new WatchWorld();
        var beat = new ResourceBeat(Role.Primary, DiskState.UpToDate, new SessionId(77), 5, IsServing: true);
        world.B.Mail.Beat = beat;
        world.Until("the report", () => world.A.Mail.Picture.Report?.Role == Role.Primary, 60);
        Assert.Equal(
            new PeerReport(Role.Primary, DiskState.UpToDate, 5, IsStuck: false), world.A.Mail.Picture.Report);
        world.B.Mail.Beat = beat with { DiskState = DiskState.Failed };
        world.Until("the change", () => world.A.Mail.Picture.Report!.DiskState == DiskState.Failed, 120);
    }

    [Fact]
    public void A_machine_that_was_replaced_is_not_heard_whatever_it_says()
    {
        var world = new WatchWorld();
        world.A.Mail.Peer = new NodeId(new Guid(42, 0, 0, new byte[8]));
        world.Until("the old machine to be unheard", () => world.A.State("dedicated") == PathState.Lost
            && world.A.State("production") == PathState.Lost, 5000);
        world.B.Watch.Send("mail", new ControlMessage.Goodbye(true, new SessionId(1), new Generation(1)));
        world.Pass(1000);
        Assert.Empty(world.A.Mail.Messages);
        Assert.True(world.A.Mail.Picture.AreAllLost);

        world.A.Mail.Peer = null;
        world.Until("all paths up", () => world.A.Ups == 2, 5000);
        world.B.Watch.Send("mail", new ControlMessage.Goodbye(true, new SessionId(1), new Generation(1)));
        world.Until("the message", () => world.A.Mail.Messages.Count > 0, 1000);
    }

    [Fact]
    public void Nobody_is_told_anything_while_nothing_changes()
    {
        var world = new WatchWorld();
        world.Pass(500);
        long sent = world.A.Watch.HeartbeatsSent;
        (int a, int b) = (world.A.Mail.Pictures.Count, world.B.Mail.Pictures.Count);
        world.Pass(20_000);
        Assert.Equal((a, b), (world.A.Mail.Pictures.Count, world.B.Mail.Pictures.Count));
        Assert.InRange(world.A.Watch.HeartbeatsSent - sent, 2 * 199, 2 * 201);
    }

    [Theory]
    [InlineData("dedicated", "production")]
    [InlineData("production", "dedicated")]
    public void One_cut_path_is_one_event_on_each_side_and_one_when_it_is_mended(string cut, string other)
    {
        var world = new WatchWorld();
        world.Network.Cut(cut, "a", "b");
        world.Pass(5000);
        foreach (WatchWorld.Node node in new[] { world.A, world.B })
        {
            Assert.Equal(PathState.Lost, node.State(cut));
            Assert.Equal(PathState.Up, node.State(other));
            Assert.Equal("path-lost", node.Kinds);
            Assert.True(node.Mail.Picture.IsAnyUp);
            Assert.False(node.Mail.Picture.AreAllLost);
        }

        world.Network.Mend(cut, "a", "b");
        world.Pass(5000);
        Assert.Equal("path-lost path-restored", world.A.Kinds);
        Assert.Equal("path-lost path-restored", world.B.Kinds);
    }

    [Fact]
    public void A_path_cut_one_way_is_lost_for_the_deaf_and_heard_only_for_the_unheard()
    {
        var world = new WatchWorld();
        world.Network.CutOneWay("dedicated", "a", "b");
        world.Pass(5000);
        Assert.Equal(PathState.HeardOnly, world.A.State("dedicated"));
        Assert.Equal(PathState.Lost, world.B.State("dedicated"));
        Assert.Equal("path-lost", world.A.Kinds);
        Assert.Equal("path-lost", world.B.Kinds);
        Assert.NotNull(world.A.Mail.Picture.Report);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void A_cut_off_peer_is_noticed_within_dead_after_and_two_heartbeats(ulong seed)
    {
        var world = new WatchWorld(seed);
        world.Pass((long)(seed * 37));
        long cutNs = world.World.NowNs;
        world.Network.Cut("a", "b");
        world.Until("lost", () => world.A.Mail.Picture.AreAllLost && world.B.Mail.Picture.AreAllLost, 1200);
        Assert.InRange(world.World.NowNs - cutNs, 900 * Ms, 1200 * Ms);
        Assert.False(world.A.Mail.Picture.DaemonIsGone);
        Assert.NotNull(world.A.Mail.Picture.Report);
        world.Pass(5000);
        Assert.Equal("peer-lost", world.A.Kinds);
        Assert.Equal("peer-lost", world.B.Kinds);
        world.Network.Mend("a", "b");
        world.Pass(5000);
        Assert.Equal("peer-lost peer-back", world.A.Kinds);
        Assert.Equal("peer-lost peer-back", world.B.Kinds);
    }

    [Fact]
    public void A_gone_daemon_on_a_living_host_is_noticed_soon_and_said_so()
    {
        var world = new WatchWorld();
        world.B.Crash();
        world.Until("lost", () => world.A.Mail.Picture.AreAllLost, 400);
        Assert.True(world.A.Mail.Picture.DaemonIsGone);
        Assert.True(world.A.Mail.Picture.WasHeardLately);
        world.Until("dead-after is over", () => !world.A.Mail.Picture.WasHeardLately, 1000);
        world.Pass(3000);
        Assert.Equal("peer-lost", world.A.Kinds);
        Assert.Contains("its mirrord seems to be gone", world.A.Events[0].Message);
        Assert.True(world.A.Mail.Picture.DaemonIsGone);

        world.World.PowerCut("b");
        world.Until("the host is silent too", () => !world.A.Mail.Picture.DaemonIsGone, 5000);
        Assert.True(world.A.Mail.Picture.AreAllLost);
    }

    [Fact]
    public void A_host_without_power_is_lost_without_a_word_about_its_daemon()
    {
        var world = new WatchWorld();
        world.World.PowerCut("b");
        world.Pass(3000);
        Assert.Equal("peer-lost", world.A.Kinds);
        Assert.DoesNotContain("mirrord seems to be gone", world.A.Events[0].Message);
    }

    [Fact]
    public void A_daemon_that_restarts_at_once_is_no_event_and_its_report_is_that_of_the_new_run()
    {
        var world = new WatchWorld();
        world.B.Mail.Beat = world.B.Mail.Beat with { Role = Role.Primary, IsServing = true };
        world.Until("Primary", () => world.A.Mail.Picture.Report?.Role == Role.Primary);
        world.B.Crash();
        world.Pass(60);
        world.B.Start();
        world.Until("the new run's report", () => world.A.Mail.Picture.Report?.Role == Role.Standby, 500);
        world.Pass(5000);
        Assert.Empty(world.A.Events);
        Assert.Equal(2, world.A.Ups);
        Assert.Equal(2, world.B.Ups);
    }

    [Fact]
    public void A_daemon_that_comes_back_later_is_back()
    {
        var world = new WatchWorld();
        world.B.Crash();
        world.Pass(5000);
        world.B.Start();
        world.Until("all paths up", () => world.A.Ups == 2 && world.B.Ups == 2, 500);
        world.Pass(1000);
        Assert.Equal("peer-lost peer-back", world.A.Kinds);
    }

    [Fact]
    public void A_process_that_stood_still_knows_nothing_at_first_and_raises_nothing_when_all_is_well()
    {
        var world = new WatchWorld();
        world.A.Mail.Pictures.Clear();
        world.World.Pause("a", 3000 * Ms);
        world.Until("a runs again", () => world.A.Mail.Pictures.Count > 0, 4000);
        Assert.Equal(
            [PathState.Unknown, PathState.Unknown], world.A.Mail.Pictures[0].Paths.Select(p => p.State));
        world.Until("all paths up", () => world.A.Ups == 2 && world.B.Ups == 2, 500);
        world.Pass(3000);
        Assert.Empty(world.A.Events);
        Assert.Equal("peer-lost peer-back", world.B.Kinds);
    }

    [Fact]
    public void A_process_that_stood_still_while_its_peer_died_takes_nothing_old_for_a_sign_of_life()
    {
        var world = new WatchWorld();
        world.World.Pause("a", 2500 * Ms);
        world.Pass(1500);
        world.World.PowerCut("b");
        world.A.Mail.Pictures.Clear();
        world.Until("a runs again", () => world.A.Mail.Pictures.Count > 0, 4000);
        long wokeNs = world.World.NowNs;
        world.Until("lost", () => world.A.Mail.Picture.AreAllLost, 1300);
        Assert.True(world.World.NowNs - wokeNs >= 1000 * Ms, "dead-after has to pass again");
        Assert.DoesNotContain(world.A.Mail.Pictures, picture => picture.IsAnyUp);
    }

    [Fact]
    public void A_clock_that_jumps_counts_as_a_pause()
    {
        var world = new WatchWorld();
        world.A.Mail.Pictures.Clear();
        world.World.JumpClock("a", 60_000 * Ms);
        world.Pass(3000);
        Assert.DoesNotContain(world.A.Mail.Pictures, picture => picture.AreAllLost);
        Assert.Equal(2, world.A.Ups);
        Assert.Empty(world.A.Events);
    }

    [Fact]
    public void A_message_arrives_once_though_it_travels_over_every_path()
    {
        var world = new WatchWorld();
        world.Network.DatagramDuplicatePercent = 50;
        var goodbye = new ControlMessage.Goodbye(true, new SessionId(4), new Generation(5));
        for (int i = 0; i < 50; i++)
        {
            world.A.Watch.Send("mail", goodbye);
            world.Pass(10);
        }

        Assert.Equal(Enumerable.Repeat<ControlMessage>(goodbye, 50), world.B.Mail.Messages);
    }

    [Theory]
    [InlineData("dedicated")]
    [InlineData("production")]
    public void A_message_and_its_answer_arrive_over_the_path_that_is_left(string cut)
    {
        var world = new WatchWorld();
        world.Network.Cut(cut, "a", "b");
        world.B.Mail.Answer = message => world.B.Watch.Send("mail", new ControlMessage.OutdateReply(
            ((ControlMessage.OutdateRequest)message).Session, 8, OutdateAnswer.Stored));
        var request = new ControlMessage.OutdateRequest(new SessionId(3), new Generation(1), default, [], 8);
        world.A.Watch.Send("mail", request);
        world.Until("the answer", () => world.A.Mail.Messages.Count > 0, 50);
        Assert.Equal(
            new ControlMessage.OutdateReply(new SessionId(3), 8, OutdateAnswer.Stored),
            Assert.Single(world.A.Mail.Messages));
    }

    [Fact]
    public void A_message_for_a_resource_that_is_not_there_is_ignored()
    {
        var world = new WatchWorld();
        world.A.Watch.Send("www", new ControlMessage.Goodbye(true, new SessionId(4), new Generation(5)));
        world.Pass(500);
        Assert.Empty(world.B.Mail.Messages);
        Assert.Equal(0, world.B.Watch.GarbageDatagrams);
    }

    [Fact]
    public void A_loop_that_does_not_tick_is_stuck_and_the_peer_is_told()
    {
        var world = new WatchWorld();
        long tickUntilNs = world.World.NowNs + (2000 * Ms);
        Ticking(world, world.A, () => world.World.NowNs < tickUntilNs);
        world.Pass(2900);
        Assert.Empty(world.A.Mail.Stuck);
        world.Until("stuck", () => world.A.Mail.Stuck is [true], 300);
        world.Until("told", () => world.B.Mail.Picture.Report!.IsStuck, 150);
        Assert.Equal(("mail", "resource-stuck"), (world.A.Events[0].Resource, world.A.Events[0].Kind));

        Ticking(world, world.A, () => true);
        world.Until("moves", () => world.A.Mail.Stuck is [true, false], 300);
        world.Until("told", () => !world.B.Mail.Picture.Report!.IsStuck, 150);
        world.Pass(3000);
        Assert.Equal("resource-stuck resource-unstuck", world.A.Kinds);
    }

    [Fact]
    public void The_pause_of_the_whole_process_does_not_make_its_resources_stuck()
    {
        var world = new WatchWorld();
        Ticking(world, world.A, () => true);
        world.World.Pause("a", 900 * Ms);
        world.Pass(2000);
        world.World.Pause("a", 30_000 * Ms);
        world.Pass(35_000);
        Assert.Empty(world.A.Mail.Stuck);
    }

    [Fact]
    public void More_resources_than_fit_a_heartbeat_are_all_told_of()
    {
        var world = new WatchWorld();
        WatchedDouble[] here = [.. Enumerable.Range(0, 45).Select(i => new WatchedDouble($"r{i}"))];
        WatchedDouble[] there = [.. here.Select(r => new WatchedDouble(r.Name))];
        for (int i = 0; i < here.Length; i++)
        {
            there[i].Beat = there[i].Beat with { Promotions = (ulong)i };
            world.A.Watch.Add(here[i]);
            world.B.Watch.Add(there[i]);
        }

        world.Until("all reports", () => here.All(r => r.Pictures.LastOrDefault()?.Report is not null), 600);
        world.Pass(1000);
        Assert.Equal(there.Select(r => r.Beat.Promotions), here.Select(r => r.Picture.Report!.Promotions));
        Assert.All(here, r => Assert.InRange(r.Pictures.Count, 1, 2));
    }

    [Fact]
    public void A_resource_that_the_peer_no_longer_has_has_no_report()
    {
        var world = new WatchWorld();
        var only = new WatchedDouble("only-here");
        world.A.Watch.Add(only);
        world.Pass(500);
        Assert.Null(only.Picture.Report);
        Assert.True(only.Picture.IsAnyUp);
    }

    [Fact]
    public void A_stopped_watch_sends_what_was_to_be_sent_and_then_nothing()
    {
        var world = new WatchWorld();
        bool stopped = false;
        world.A.Watch.Send("mail", new ControlMessage.Goodbye(true, new SessionId(4), new Generation(5)));
        world.A.Watch.Stop(() => stopped = true);
        world.Until("stopped", () => stopped, 500);
        world.Pass(200);
        Assert.Single(world.B.Mail.Messages);
        int sent = world.Sent.Count(s => s.From == "a");
        world.Pass(3000);
        Assert.Equal(sent, world.Sent.Count(s => s.From == "a"));
        Assert.Equal("peer-lost", world.B.Kinds);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_bad_network_is_no_event(ulong seed)
    {
        var world = new WatchWorld(seed);
        world.Network.DatagramLossPercent = 20;
        world.Network.DatagramDuplicatePercent = 20;
        world.Network.DatagramReorderPercent = 20;
        world.Pass(60_000);
        Assert.Empty(world.A.Events);
        Assert.Empty(world.B.Events);
    }

    /// <summary>The resource's loop ticks each 100 ms as long as the condition holds.</summary>
    private static void Ticking(WatchWorld world, WatchWorld.Node node, Func<bool> condition)
    {
        var timer = new MirrorD.Io.IoOperation(operation =>
        {
            if (condition())
            {
                node.Mail.LastTickNs = node.Loop.NowNs;
                node.Loop.StartTimer(node.Loop.NowNs + (100 * Ms), operation);
            }
        });
        node.Mail.LastTickNs = node.Loop.NowNs;
        node.Loop.StartTimer(node.Loop.NowNs + (100 * Ms), timer);
    }
}
