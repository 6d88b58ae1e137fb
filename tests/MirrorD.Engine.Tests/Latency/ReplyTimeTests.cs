using MirrorD.Engine.Latency;
using MirrorD.Engine.Tests.Nbd;
using MirrorD.Formats.Nbd;

namespace MirrorD.Engine.Tests.Latency;

public class ReplyTimeTests
{
    [Fact]
    public void What_the_volume_took_is_in_the_total_and_not_in_the_reply()
    {
        using var world = new NbdWorld();
        NbdClient client = world.Open();
        world.Disk.LatencyNs = (40_000_000, 40_000_000);
        world.Disk.FlushLatencyNs = (0, 0);
        Assert.Equal(NbdError.None, client.Write(0, new byte[4096]));
        Assert.Equal(new byte[4096], client.Read(0, 4096));
        client.Send(NbdCommand.Flush);
        world.Until(() => Taken(world, LatencyOperation.Flush, LatencyStage.Total).Total() == 1, "the flush is answered");
        foreach (LatencyOperation operation in Enum.GetValues<LatencyOperation>())
        {
            LatencySample total = Taken(world, operation, LatencyStage.Total);
            LatencySample reply = Taken(world, operation, LatencyStage.Reply);
            Assert.Equal((1L, 1L), (total.Total(), reply.Total()));
            Assert.InRange(total.SumNs, 40_000_000, 44_000_000);
            Assert.InRange(reply.SumNs, 0, 4_000_000);
        }
    }

    private static LatencySample Taken(NbdWorld world, LatencyOperation operation, LatencyStage stage) =>
        world.Volume.Load.Of(operation, stage)!.Take();
}
