using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Nodes that are disconnected and connected by command, and copies that are thrown away.</summary>
public class LeavingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_disconnected_node_stays_so_over_restarts_of_both_and_then_gets_what_differs(bool primaryLeaves)
    {
        SimulatedPair pair = Serving();
        SimulatedPair.Node leaver = primaryLeaves ? pair.A : pair.B;
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 8192, 4096, fill: 2);
        CommandOutcome outcome = leaver.Do(new ResourceCommand.Disconnect());
        Assert.True(outcome.Succeeded, outcome.Message);
        pair.Until("written", () => write.Error is not null);
        Assert.Equal(0, write.Error);

        // No request of the Primary waits longer than the peer's and its own stores take.
        long before = pair.World.NowNs;
        pair.A.Write(0, 4096, fill: 3);
        pair.A.Flush();
        Assert.InRange(pair.World.NowNs - before, 0, SimulatedPair.SecondNs / 2);
        Assert.Equal(ProofKind.PeerOutdated, pair.A.Resource.Status.Proof);
        Assert.Equal(DiskState.Outdated, pair.B.Resource.Status.DiskState);
        Assert.Equal("Disconnected", leaver.Resource.Status.HoldUp?.State);

        pair.B.Kill();
        pair.B.Start();
        Stays(pair);
        if (primaryLeaves)
        {
            pair.A.Kill();
            pair.A.Start();
            Stays(pair);
            Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        }

        pair.A.Write(4096, 4096, fill: 4);
        Assert.True(leaver.Do(new ResourceCommand.Connect()).Succeeded);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16384), pair.B.Peek(0, 16384));
        Assert.Contains(pair.B.Events, e => e.Contains("BitmapSync", StringComparison.Ordinal));
        Assert.DoesNotContain(pair.B.Events, e => e.Contains("FullSync", StringComparison.Ordinal));
        Assert.DoesNotContain(pair.A.Events.Concat(pair.B.Events), e => e.Contains("role-lost", StringComparison.Ordinal));
        if (!primaryLeaves)
        {
            Assert.Equal(Role.Primary, pair.A.Role);
        }
    }

    [Fact]
    public void A_copy_that_is_thrown_away_is_copied_whole()
    {
        SimulatedPair pair = Serving();
        byte[] wrong = new byte[4096];
        Array.Fill(wrong, (byte)9);
        pair.B.Put(1 << 20, wrong);
        CommandOutcome outcome = pair.B.Do(new ResourceCommand.Invalidate());
        Assert.True(outcome.Succeeded, outcome.Message);
        Assert.Equal(DiskState.Inconsistent, pair.B.Resource.Status.DiskState);
        pair.A.Write(4096, 4096, fill: 5);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 2 << 20), pair.B.Peek(0, 2 << 20));
        Assert.Equal(Role.Primary, pair.A.Role);
        Assert.False(pair.A.Do(new ResourceCommand.Invalidate()).Succeeded);
    }

    private static void Stays(SimulatedPair pair)
    {
        pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
        Assert.Equal(LinkState.Disconnected, pair.A.Link);
        Assert.Equal(LinkState.Disconnected, pair.B.Link);
    }

    private static SimulatedPair Serving()
    {
        var pair = new SimulatedPair();
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, 4096, fill: 1);
        pair.A.Flush();
        return pair;
    }
}
