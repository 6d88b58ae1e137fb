using System.Net;
using System.Security.Cryptography;
using MirrorD.Core.Failover;
using MirrorD.Engine.Watch;
using MirrorD.Formats;
using MirrorD.Formats.Watch;
using MirrorD.Io;
using MirrorD.Io.Linux;
using Xunit.Abstractions;

namespace MirrorD.Engine.Tests.Watch;

/// <summary>Two watches over real sockets of this host, on one loop and thread.</summary>
[Trait("Level", "Hosts")]
public class RealWatchTests(ITestOutputHelper output)
{
    private const long Ms = 1_000_000;

    [Fact]
    public void Two_watches_hear_each_other_and_notice_when_one_ends()
    {
        using var loop = new UringLoop();
        var (a, b) = (new WatchedDouble("mail"), new WatchedDouble("mail"));
        var events = new List<string>();
        var (watchA, watchB) = Pair(loop, intervalMs: 20, deadAfterMs: 400, events);
        watchA.Add(a);
        watchB.Add(b);
        watchA.Start();
        watchB.Start();
        RunUntil(loop, "all paths up", () => AreUp(a) && AreUp(b));
        RunUntil(loop, "reports", () => a.Picture.Report is not null && b.Picture.Report is not null);

        watchA.Send("mail", new ControlMessage.Goodbye(true, new SessionId(1), new Generation(2)));
        RunUntil(loop, "the message", () => b.Messages.Count > 0);
        bool stopped = false;
        watchB.Stop(() => stopped = true);
        RunUntil(loop, "stopped", () => stopped);
        RunUntil(loop, "lost", () => a.Picture.AreAllLost);
        Assert.True(a.Picture.DaemonIsGone);
        RunUntil(loop, "told", () => events.Count > 0);
        Assert.Equal(["peer-lost"], events);
        Assert.Single(b.Messages);
    }

    [Fact]
    public void An_address_that_is_not_there_is_told_once_and_tried_again()
    {
        using var loop = new UringLoop();
        var events = new List<string>();
        var a = new WatchedDouble("mail");
        var nowhere = new UdpEndpoint(IPAddress.Parse("192.0.2.77"), 0, IPAddress.Parse("192.0.2.78"), 9);
        var watch = new PeerWatch(loop, Options("a", "b", 20, 100, events, nowhere));
        watch.Add(a);
        watch.Start();
        long beganNs = loop.NowNs;
        RunUntil(loop, "two more attempts", () => loop.NowNs - beganNs > 2500 * Ms);
        Assert.True(a.Picture.AreAllLost);
        Assert.Equal(["path-problem", "peer-lost"], events);
    }

    [Fact]
    public void A_heartbeat_sent_and_received_allocates_nothing()
    {
        using var loop = new UringLoop();
        var (a, b) = (new WatchedDouble("mail"), new WatchedDouble("mail"));
        var (watchA, watchB) = Pair(loop, intervalMs: 4, deadAfterMs: 5000, []);
        watchA.Add(a);
        watchB.Add(b);
        watchA.Start();
        watchB.Start();
        RunUntil(loop, "all paths up", () => AreUp(a) && AreUp(b));

        // What is compiled or grows once is over some time; an allocation per heartbeat is in every round.
        long allocated = 0;
        for (int round = 0; round < 5; round++)
        {
            long sent = watchA.HeartbeatsSent;
            long before = 0;
            loop.Post(() => before = GC.GetAllocatedBytesForCurrentThread());
            RunUntil(loop, "500 heartbeats", () => watchA.HeartbeatsSent - sent >= 500, everyMs: 500);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            output.WriteLine($"{allocated} bytes for {watchA.HeartbeatsSent - sent} heartbeats each way");
            if (allocated < 10_000)
            {
                return;
            }
        }

        Assert.Fail($"{allocated} bytes for 500 heartbeats each way, again and again");
    }

    private static bool AreUp(WatchedDouble resource) =>
        resource.Pictures.Count > 0 && resource.Picture.Paths.All(path => path.State == PathState.Up);

    private static (PeerWatch A, PeerWatch B) Pair(
        UringLoop loop, int intervalMs, int deadAfterMs, List<string> eventsOfA)
    {
        UdpEndpoint[] ends = [.. Enumerable.Range(1, 2).Select(i => Ends(loop, $"127.0.77.{i}"))];
        UdpEndpoint[] mirrored =
        [
            .. ends.Select(e => new UdpEndpoint(e.RemoteAddress, e.RemotePort, e.LocalAddress, e.LocalPort)),
        ];
        return (new PeerWatch(loop, Options("a", "b", intervalMs, deadAfterMs, eventsOfA, ends)),
            new PeerWatch(loop, Options("b", "a", intervalMs, deadAfterMs, [], mirrored)));
    }

    /// <summary>Two ports of an address of this host that nobody has.</summary>
    private static UdpEndpoint Ends(UringLoop loop, string address)
    {
        IPAddress here = IPAddress.Parse(address);
        IDatagramSocket one = loop.OpenDatagram(new UdpEndpoint(here, 0, here, 9));
        IDatagramSocket other = loop.OpenDatagram(new UdpEndpoint(here, 0, here, 9));
        (int onePort, int otherPort) = (one.Endpoint.LocalPort, other.Endpoint.LocalPort);
        one.Close();
        other.Close();
        return new UdpEndpoint(here, onePort, here, otherPort);
    }

    private static PeerWatchOptions Options(
        string node, string peer, int intervalMs, int deadAfterMs, List<string> events,
        params UdpEndpoint[] ends) => new()
        {
            NodeName = node,
            Node = new NodeId(new Guid(node[0], 0, 0, new byte[8])),
            Boot = new BootId(Guid.NewGuid()),
            PeerName = peer,
            Key = new byte[32],
            Paths = [.. ends.Select((e, i) => new WatchPath($"path {i}", PathKind.Dedicated, i, e))],
            IntervalMs = intervalMs,
            DeadAfterMs = deadAfterMs,
            NewIdentifier = () => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1,
            Raise = (_, happened) => events.Add(happened.Kind),
        };

    /// <summary>
    /// Runs the loop in this thread until the condition holds, which is looked at now and then.
    /// </summary>
    private static void RunUntil(UringLoop loop, string what, Func<bool> condition, int everyMs = 10)
    {
        long deadlineNs = loop.NowNs + (30_000 * Ms);
        bool isOver = false;
        var timer = new IoOperation(operation =>
        {
            isOver = condition();
            if (isOver || loop.NowNs > deadlineNs)
            {
                loop.Stop();
            }
            else
            {
                loop.StartTimer(loop.NowNs + (everyMs * Ms), operation);
            }
        });
        loop.StartTimer(loop.NowNs, timer);
        loop.Run();
        Assert.True(isOver, $"waited 30 s for: {what}");
    }
}
