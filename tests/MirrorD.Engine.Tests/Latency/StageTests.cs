using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Engine.Latency;
using MirrorD.Engine.Tests.Replication;
using MirrorD.Formats.Peer;

namespace MirrorD.Engine.Tests.Latency;

/// <summary>Time that a test makes something take is found in the stage that it belongs to, and in no other.</summary>
public class StageTests
{
    private const long FastNs = 100_000;
    private const long SlowNs = 40_000_000;
    private const int Requests = 20;

    [Theory]
    [InlineData("a's disk", LatencyStage.LocalDisk)]
    [InlineData("b's disk", LatencyStage.PeerDisk, LatencyStage.Peer)]
    [InlineData("the network", LatencyStage.Network, LatencyStage.Peer)]
    public void What_is_slow_shows_in_its_own_stage_of_writes(string slow, params LatencyStage[] stages)
    {
        SimulatedPair pair = Joined();
        pair.A.SlowDisks(slow == "a's disk" ? SlowNs : FastNs);
        pair.B.SlowDisks(slow == "b's disk" ? SlowNs : FastNs);
        long wayNs = slow == "the network" ? SlowNs / 2 : FastNs;
        pair.World.Network.LatencyNs = (wayNs, wayNs);
        Write(pair, Requests);

        foreach (LatencyStage stage in (LatencyStage[])[LatencyStage.LocalDisk, LatencyStage.Peer, LatencyStage.Network, LatencyStage.PeerDisk])
        {
            LatencySample sample = Taken(pair, LatencyOperation.Write, stage);
            Assert.Equal(Requests, sample.Total());
            (long least, long most) = stages.Contains(stage) ? (SlowNs, SlowNs * 5 / 4) : (0, SlowNs / 10);
            long took = Median(sample);
            Assert.True(took >= least && took <= most, $"{stage} took up to {took} ns, not {least} to {most}");
        }

        Assert.Equal(Requests, Taken(pair, LatencyOperation.Write, LatencyStage.Log).Total());
        Assert.Equal((Requests * 4096, 0), (pair.A.Resource.Loads[0].WrittenBytes, pair.A.Resource.Loads[0].InWork));
    }

    [Fact]
    public void A_write_that_waits_for_one_that_overlaps_it_has_that_in_the_stage_log()
    {
        SimulatedPair pair = Joined();
        Write(pair, 1);
        LatencySample before = Taken(pair, LatencyOperation.Write, LatencyStage.Log);
        pair.A.SlowDisks(SlowNs);
        pair.B.SlowDisks(FastNs);
        SimulatedPair.Pending[] both =
        [
            pair.A.Submit(VolumeOperation.Write, 0, 4096, 1), pair.A.Submit(VolumeOperation.Write, 0, 8192, 2),
        ];
        Assert.Equal(2, pair.A.Resource.Loads[0].InWork);
        pair.Until("both are done", () => both.All(write => write.Error == 0));
        LatencySample after = Taken(pair, LatencyOperation.Write, LatencyStage.Log);
        Assert.Equal(before.Total() + 2, after.Total());
        Assert.InRange(after.SumNs - before.SumNs, SlowNs, SlowNs * 11 / 10);
    }

    [Fact]
    public void A_read_has_the_time_of_the_local_disk_and_none_of_the_peers()
    {
        SimulatedPair pair = Joined();
        pair.A.SlowDisks(SlowNs);
        SimulatedPair.Pending read = pair.A.Submit(VolumeOperation.Read, 0, 4096);
        pair.Until("it is read", () => read.Error == 0);
        LatencySample sample = Taken(pair, LatencyOperation.Read, LatencyStage.LocalDisk);
        Assert.Equal((1L, 4096L), (sample.Total(), pair.A.Resource.Loads[0].ReadBytes));
        Assert.InRange(sample.SumNs, SlowNs, SlowNs * 11 / 10);
        Assert.Null(pair.A.Resource.Loads[0].Of(LatencyOperation.Read, LatencyStage.PeerDisk));
    }

    [Theory]
    [InlineData(2, 3)]
    [InlineData(3, 2)]
    [InlineData(2, 2)]
    public void With_a_peer_of_the_former_version_all_works_and_the_peers_time_is_not_split(int a, int b)
    {
        SimulatedPair pair = Joined((ushort)a, (ushort)b);
        Write(pair, Requests);
        Assert.Equal(Requests, Taken(pair, LatencyOperation.Write, LatencyStage.Peer).Total());
        Assert.Equal(0, Taken(pair, LatencyOperation.Write, LatencyStage.PeerDisk).Total());
        Assert.Equal(0, Taken(pair, LatencyOperation.Write, LatencyStage.Network).Total());
        Assert.Equal(pair.A.Peek(0, 1 << 20), pair.B.Peek(0, 1 << 20));
    }

    private static SimulatedPair Joined(ushort a = PeerHello.HighestVersion, ushort b = PeerHello.HighestVersion)
    {
        var pair = new SimulatedPair();
        (pair.A.LinkVersion, pair.B.LinkVersion) = (a, b);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        return pair;
    }

    private static void Write(SimulatedPair pair, int count)
    {
        for (int i = 0; i < count; i++)
        {
            pair.A.Write(i * 4096, 4096, (byte)(i + 1));
        }
    }

    /// <summary>Upper end of the step that it is in: a few operations of a simulated disk take ten times longer.</summary>
    private static long Median(LatencySample sample) => Enumerable.Range(0, LatencyHistogram.Counters)
        .Select(LatencyHistogram.BoundNs).First(bound => sample.CountUpTo(bound) > sample.Total() / 2);

    private static LatencySample Taken(SimulatedPair pair, LatencyOperation operation, LatencyStage stage) =>
        pair.A.Resource.Loads[0].Of(operation, stage)!.Take();
}
