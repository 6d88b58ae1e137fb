using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>A node whose disk has failed, seen from the other one.</summary>
public class DiskFailureTests
{
    [Fact]
    public void A_peer_whose_disk_has_failed_does_not_interrupt_the_primary_again_and_again()
    {
        var pair = new SimulatedPair(onPeerLoss: PeerLoss.Continue);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.B.FailDisks(OperationKind.Flush);
        pair.A.Write(0, 4096, 1);
        pair.A.Flush();
        Assert.Equal(DiskState.Failed, pair.B.Resource.Status.DiskState);
        int before = pair.A.Events.Count(e => e.Contains("link-lost"));
        pair.World.RunUntil(() => false, 20 * SimulatedPair.SecondNs);
        Assert.Equal(before, pair.A.Events.Count(e => e.Contains("link-lost")));
        pair.A.Write(4096, 4096, 2);

        // Started again with a disk that works, it gets what it lacks.
        pair.B.Kill();
        pair.B.FailDisks(null);
        pair.B.Start();
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
    }
}
