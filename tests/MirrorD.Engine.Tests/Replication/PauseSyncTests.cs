using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>A resync that is paused by command, over a link that is lost and made anew.</summary>
public class PauseSyncTests
{
    [Fact]
    public void A_pause_holds_until_it_is_resumed_also_over_another_connection()
    {
        var pair = new SimulatedPair(dataBytes: 64 << 20, aIs: CreationSource.Self, bIs: CreationSource.Peer);
        byte[] data = new byte[64 << 20];
        new Random(1).NextBytes(data);
        pair.A.Put(0, data);

        // Slow enough that it is not done before the pause is heard of.
        pair.A.ResyncBytesPerSecond = 16 << 20;
        pair.StartBoth();
        pair.Until("some of it", () => pair.A.Resource.Status.Resync is { SentBytes: > 0 });
        Assert.True(pair.B.Do(new ResourceCommand.PauseSync()).Succeeded);
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        long left = pair.A.Resource.Status.Resync!.RemainingBytes;
        Assert.InRange(left, 1, 64 << 20);
        pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
        Assert.Equal(left, pair.A.Resource.Status.Resync!.RemainingBytes);
        foreach (SimulatedPair.Node node in new[] { pair.A, pair.B })
        {
            Assert.Equal("SyncPaused", node.Resource.Status.HoldUp?.State);
            Assert.Equal("mirrorctl resume-sync r" + (node == pair.A ? ", on b" : ""), node.Resource.Status.HoldUp?.Remedy);
        }

        // The daemon of the source dies; the pause was given on the target.
        pair.A.Kill();
        pair.Until("lost", () => pair.B.Link == LinkState.Disconnected);
        pair.A.Start();
        pair.Until("connected", () => pair.B.Link == LinkState.SyncTarget);
        pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
        Assert.Equal(LinkState.SyncTarget, pair.B.Link);
        Assert.True(pair.B.Do(new ResourceCommand.ResumeSync()).Succeeded);
        pair.Join();
        Assert.Equal(data, pair.B.Peek(0, data.Length));
    }
}
