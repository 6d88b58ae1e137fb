using MirrorD.Core;
using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>What a resource takes for much work it gives back when that is over.</summary>
public class SlotMemoryTests
{
    private const int AtRest = 5;
    private const int Requests = 40;

    [Fact]
    public void Slots_of_requests_and_of_copies_go_when_they_are_no_longer_needed()
    {
        var pair = new SimulatedPair(onPeerLoss: PeerLoss.Continue);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        Assert.Equal((AtRest, AtRest), Taken(pair));
        SimulatedPair.Pending[] writes = [.. Enumerable.Range(0, Requests).Select(i =>
            pair.A.Submit(VolumeOperation.Write, i * 131072L, 131072, 1))];
        Assert.InRange(pair.A.SlotMemory.Taken, Requests, int.MaxValue);
        pair.Until("they are written", () => writes.All(write => write.Error == 0));
        Assert.InRange(pair.B.SlotMemory.Taken, AtRest + 1, int.MaxValue);
        pair.Until("their slots are given back", () => Taken(pair) == (AtRest, AtRest), 120);

        pair.World.Network.Cut("a", "b");
        pair.Until("the link is lost", () => pair.A.Link == LinkState.Disconnected);
        for (int i = 0; i < 64; i++)
        {
            pair.A.Write(i * 131072L, 131072, 2);
        }

        pair.Until("nothing is left of them", () => pair.A.SlotMemory.Taken == AtRest, 120);
        pair.World.Network.Mend("a", "b");
        pair.Join();
        Assert.InRange(pair.A.SlotMemory.Taken, AtRest + Limits.CopiesWhenIdle - 1, int.MaxValue);
        pair.Until("the slots of copies are given back", () => Taken(pair) == (AtRest, AtRest), 120);

        // And there are enough again.
        pair.A.Write(0, 131072, 3);
        pair.A.Flush();
        Assert.Equal(pair.A.Peek(0, 8 << 20), pair.B.Peek(0, 8 << 20));
    }

    private static (int A, int B) Taken(SimulatedPair pair) => (pair.A.SlotMemory.Taken, pair.B.SlotMemory.Taken);
}
