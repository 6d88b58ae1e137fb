using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>At rest a resource ticks seldom, and nothing that begins or fails then is noticed later for it.</summary>
public class RestTests
{
    private const long TickNs = 100_000_000;
    private const int LinkTimeoutMs = 2000;
    private const int DeadAfterMs = 5000;
    private const int DiskTimeoutMs = 1000;
    private const int MostRestMs = 1000;

    [Theory]
    [InlineData(LinkTimeoutMs, DeadAfterMs, 500)]
    [InlineData(3000, DeadAfterMs, 750)]
    [InlineData(60_000, DeadAfterMs, MostRestMs)]
    [InlineData(60_000, 1200, 300)]
    public void Ticks_are_rare_at_rest_and_the_link_stays(int linkTimeoutMs, int deadAfterMs, int restMs)
    {
        SimulatedPair pair = Resting(linkTimeoutMs, deadAfterMs);
        Assert.All(Gaps(pair, pair.A, 10), gap => Assert.Equal(restMs * 1_000_000L, gap));
        Assert.All(Gaps(pair, pair.B, 10), gap => Assert.Equal(restMs * 1_000_000L, gap));
        Assert.Equal((LinkState.Joined, LinkState.Joined), (pair.A.Link, pair.B.Link));
    }

    [Fact]
    public void While_something_is_under_way_they_come_as_ever_on_both_nodes()
    {
        SimulatedPair pair = Resting();
        pair.B.Hang(true);
        AfterTick(pair, pair.B);
        pair.A.Submit(VolumeOperation.Write, 0, 4096, 1);
        Assert.All(Gaps(pair, pair.A, 0.8).Skip(1), gap => Assert.Equal(TickNs, gap));
        Assert.All(Gaps(pair, pair.B, 0.1), gap => Assert.InRange(gap, 1, TickNs + 1_000_000));
    }

    [Theory]
    [InlineData(OperationKind.Read)]
    [InlineData(OperationKind.Write)]
    [InlineData(OperationKind.Allocation)]
    public void A_disk_that_hangs_from_rest_on_is_given_up_in_its_time(OperationKind kind)
    {
        SimulatedPair pair = Resting();
        pair.A.Hang(true);
        AfterTick(pair, pair.A);
        long fromNs = pair.World.NowNs;
        switch (kind)
        {
            case OperationKind.Allocation:
                int? result = null;
                pair.A.Resource.Frontend(0).QueryAllocation(0, 4096, new IoOperation(done => result = done.Result));
                pair.Until("it is given up", () => result is not null);
                Assert.Equal(-Errno.ETIMEDOUT, result);
                break;
            default:
                pair.A.Submit(kind == OperationKind.Read ? VolumeOperation.Read : VolumeOperation.Write, 0, 4096);
                pair.Until("its disk is lost", () => pair.A.Resource.Status.DiskState == DiskState.Failed);
                break;
        }

        long tookNs = pair.World.NowNs - fromNs;
        Assert.InRange(tookNs, DiskTimeoutMs * 1_000_000L, (DiskTimeoutMs * 1_000_000L) + TickNs + 1_000_000);
    }

    [Fact]
    public void So_is_that_of_a_standby()
    {
        SimulatedPair pair = Resting();
        pair.B.Hang(true);
        AfterTick(pair, pair.B);
        long fromNs = pair.World.NowNs;
        pair.A.Submit(VolumeOperation.Write, 0, 4096, 1);
        pair.Until("its disk is lost", () => pair.B.Resource.Status.DiskState == DiskState.Failed);
        Assert.InRange(pair.World.NowNs - fromNs, 0, (DiskTimeoutMs * 1_000_000L) + TickNs + 2_000_000);
    }

    [Theory]
    [InlineData(0, LinkTimeoutMs)]
    [InlineData(120, LinkTimeoutMs)]
    [InlineData(240, LinkTimeoutMs)]
    [InlineData(360, LinkTimeoutMs)]
    [InlineData(480, LinkTimeoutMs)]
    [InlineData(0, 3000)]
    [InlineData(370, 3000)]
    [InlineData(740, 3000)]
    [InlineData(990, 8000)]
    public void A_link_that_falls_silent_at_rest_is_lost_in_its_time(int afterTickMs, int linkTimeoutMs)
    {
        SimulatedPair pair = Resting(linkTimeoutMs);
        AfterTick(pair, pair.A);
        pair.World.RunUntil(() => false, afterTickMs * 1_000_000L);
        pair.World.Network.Cut("a", "b");
        long fromNs = pair.World.NowNs;
        long aNs = 0;
        long bNs = 0;
        pair.Until("both have lost it", () =>
        {
            aNs = aNs == 0 && pair.A.Link == LinkState.Disconnected ? pair.World.NowNs : aNs;
            bNs = bNs == 0 && pair.B.Link == LinkState.Disconnected ? pair.World.NowNs : bNs;
            return aNs > 0 && bNs > 0;
        });

        // The peer was heard at its last tick.
        Assert.InRange(
            Math.Min(aNs, bNs) - fromNs, (linkTimeoutMs - MostRestMs) * 1_000_000L, linkTimeoutMs * 1_000_000L);
        Assert.InRange(Math.Max(aNs, bNs) - fromNs, 0, (linkTimeoutMs * 1_000_000L) + TickNs);
    }

    private static SimulatedPair Resting(int linkTimeoutMs = LinkTimeoutMs, int deadAfterMs = DeadAfterMs)
    {
        var pair = new SimulatedPair(onPeerLoss: Core.Failover.PeerLoss.Freeze);
        pair.A.DiskTimeoutMs = pair.B.DiskTimeoutMs = DiskTimeoutMs;
        pair.A.LinkTimeoutMs = pair.B.LinkTimeoutMs = linkTimeoutMs;
        pair.A.DeadAfterMs = pair.B.DeadAfterMs = deadAfterMs;
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, 4096, 1);
        pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
        return pair;
    }

    /// <summary>Until a node has just ticked: the next one is as far as it can be.</summary>
    private static void AfterTick(SimulatedPair pair, SimulatedPair.Node node)
    {
        long before = node.Resource.LastTickNs;
        pair.Until("a tick", () => node.Resource.LastTickNs != before);
    }

    /// <summary>Times between its ticks, from now on.</summary>
    private static List<long> Gaps(SimulatedPair pair, SimulatedPair.Node node, double seconds)
    {
        var gaps = new List<long>();
        long last = node.Resource.LastTickNs;
        pair.World.RunUntil(
            () =>
            {
                long tick = node.Resource.LastTickNs;
                if (tick != last)
                {
                    gaps.Add(tick - last);
                    last = tick;
                }

                return false;
            },
            (long)(seconds * SimulatedPair.SecondNs));
        Assert.NotEmpty(gaps);
        return gaps;
    }
}
