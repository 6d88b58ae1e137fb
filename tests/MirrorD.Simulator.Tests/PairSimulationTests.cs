using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests;

public class PairSimulationTests
{
    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        Assert.Equal(Trace(3), Trace(3));
    }

    [Fact]
    public void A_forced_promotion_of_a_copy_that_was_never_synced_serves_what_its_disk_held()
    {
        var pair = new PairSimulation(Scenario.FromSeed(1) with
        {
            VolumeBytes = 1024 * 1024,
            CreationAtA = CreationSource.Self,
            HasArbiter = false,
            Forces = true,
            Clients = 4,
            Depth = 4,
            ThinkNs = 1_000_000,
        });
        try
        {
            pair.Networks.Cut(Networks.Dedicated, "a", "b");
            pair.Begin();
            Assert.True(pair.RunUntil(() => pair.Nodes[1].Status is not null, 1_000_000_000));
            pair.Oracle.AcceptLoss();
            Assert.False(pair.Oracle.AcceptsLitter);
            var force = new ResourceCommand.Promote(true);
            pair.Roles.CommandGiven(pair.Nodes[1], force);
            pair.Nodes[1].Command(force, _ => pair.Roles.CommandEnded(pair.Nodes[1], force));
            Assert.True(pair.RunUntil(() => pair.Nodes[1].Status?.Role == Role.Primary, 10_000_000_000));
            Assert.True(pair.Oracle.AcceptsLitter);
            pair.RunFor(5_000_000_000);
            Assert.True(pair.Tally.Reads > 100, "the copy is read");
        }
        finally
        {
            pair.End();
        }
    }

    private static List<string> Trace(ulong seed)
    {
        List<string> lines = [];
        Seeds.RunOne(seed, lines.Add);
        return lines;
    }
}
