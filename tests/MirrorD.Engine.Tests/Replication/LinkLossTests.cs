using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Requests and slots that meet the end of a link.</summary>
public class LinkLossTests
{
    [Fact]
    public void Large_writes_at_any_instant_of_a_link_loss_complete_and_give_their_slots_back()
    {
        var pair = new SimulatedPair(onPeerLoss: PeerLoss.Continue);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        int slots = pair.A.Resource.Buffers.FreeSlots;
        for (int round = 0; round < 20; round++)
        {
            var pending = new List<SimulatedPair.Pending>();
            pair.World.Network.Reset("a", "b");
            pair.Until("lost", () =>
            {
                if (pair.A.Resource.Buffers.FreeSlots > slots / 2)
                {
                    pending.Add(pair.A.Submit(VolumeOperation.Write, pending.Count % 64 * 65536, 65536, (byte)round));
                }

                return pair.A.Link == LinkState.Disconnected;
            });
            pair.Until("writes complete", () => pending.TrueForAll(p => p.Error == 0));
            pair.Join();
        }

        Assert.Equal(slots, pair.A.Resource.Buffers.FreeSlots);
        Assert.Equal(pair.A.Peek(0, 64 * 65536), pair.B.Peek(0, 64 * 65536));
    }

    [Fact]
    public void The_end_of_a_connection_is_no_word_of_the_peer_and_a_promotion_waits_its_link_timeout()
    {
        var pair = new SimulatedPair(hasArbiter: true);
        pair.StartBoth();
        pair.Join();
        pair.A.Kill();
        pair.Until("lost", () => pair.B.Link == LinkState.Disconnected);
        long lostAtNs = pair.World.NowNs;
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        Assert.InRange(pair.World.NowNs - lostAtNs, 2 * SimulatedPair.SecondNs, long.MaxValue);
    }

    [Fact]
    public void A_resync_that_is_cut_again_and_again_keeps_its_slots()
    {
        var pair = new SimulatedPair(onPeerLoss: PeerLoss.Continue, dataBytes: 64 << 20);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.B.Kill();
        for (int i = 0; i < 512; i++)
        {
            pair.A.Write(i * 131072L, 131072, (byte)i);
        }

        pair.B.Start();
        for (int round = 0; round < 40; round++)
        {
            pair.Until("resync", () => pair.A.Link is LinkState.SyncSource or LinkState.Joined);
            pair.World.RunUntil(() => false, 3_000_000 + round * 100_000);
            pair.World.Network.Reset("a", "b");
            pair.Until("lost", () => pair.A.Link != LinkState.SyncSource);
        }

        pair.Join();
        Assert.Equal(pair.A.Peek(0, 64 << 20), pair.B.Peek(0, 64 << 20));
    }
}
