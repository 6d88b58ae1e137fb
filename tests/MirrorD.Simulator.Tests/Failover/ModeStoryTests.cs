using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;
using MirrorD.Simulator.Checks;
using MirrorD.Simulator.Surroundings;

namespace MirrorD.Simulator.Tests.Failover;

/// <summary>
/// The table of guarantees (docs/concepts/guarantees.md): what a failure takes in each mode. That nothing else is missing
/// is seen by the checks of the simulator, which look at each answer, at the copy of a node that begins to serve, and at
/// all bytes in the end.
/// </summary>
public class ModeStoryTests
{
    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void What_was_flushed_survives_the_loss_of_the_primary(ReplicationMode mode)
    {
        using Story story = InMode(mode);
        Assert.True(story.Pair.Tally.Flushes > 10);
        story.CutPower(story.A);
        story.AwaitServing(story.B);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.B);
    }

    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void What_was_flushed_survives_a_power_cut_of_both(ReplicationMode mode)
    {
        using Story story = InMode(mode);
        story.CutPower(story.A);
        story.CutPower(story.B);
        story.Pair.StartNode(story.A);
        story.Pair.StartNode(story.B);
        story.AwaitHealthy(story.A);
    }

    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    public void In_sync_and_memory_a_takeover_from_an_isolated_primary_loses_nothing(ReplicationMode mode)
    {
        using Story story = InMode(mode);
        Isolate(story);
        Assert.Equal(0, story.Pair.Tally.AheadLost);
        Assert.Equal(mode == ReplicationMode.Memory, story.Pair.Tally.Ahead > 50);
    }

    [Fact]
    public void In_async_a_takeover_from_an_isolated_primary_loses_the_latest_writes_only()
    {
        using Story story = InMode(ReplicationMode.Async);
        long before = story.Pair.Tally.Ahead;
        story.Await("an answer to a write that is still on its way", () => story.Pair.Tally.Ahead > before);
        Isolate(story);
        Assert.True(story.Pair.Tally.Ahead > 100);
        Assert.Equal(1, story.Pair.Tally.AheadLost);
    }

    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_primary_whose_daemon_was_killed_and_that_goes_on_itself_has_lost_nothing(ReplicationMode mode)
    {
        using Story story = InMode(mode);
        story.Kill(story.A);
        story.Pair.StartNode(story.A);
        story.AwaitHealthy(story.A);
        Assert.Equal(0, story.Pair.Tally.Takeovers);
        Assert.Equal(0, story.Pair.Tally.AheadLost);
    }

    [Theory]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void A_standby_whose_daemon_was_killed_gets_what_it_had_in_memory_from_the_primary(ReplicationMode mode)
    {
        using Story story = InMode(mode);
        story.Kill(story.B);
        story.Pair.StartNode(story.B);
        story.AwaitHealthy(story.A);
        story.CutPower(story.A);
        story.AwaitServing(story.B);
    }

    [Fact]
    public void In_async_a_primary_that_comes_back_after_the_loss_of_disk_and_link_lacks_the_latest_writes_only()
    {
        using Story story = InMode(ReplicationMode.Async, scenario => scenario with { Autoswitch = false });
        VolumeCopy copy = story.A.Copies[0];
        long ahead = story.Pair.Tally.Ahead;
        story.Networks.CutOneWay(Networks.Dedicated, "a", "b");
        story.Await("a write is answered that never comes to b", () => story.Pair.Tally.Ahead > ahead);
        copy.Data.Fault = (kind, offset, _) =>
            kind == OperationKind.Write && offset < copy.Placement.DataBytes ? Errno.EIO : 0;
        story.Await("the disk of a has failed", () => story.A.Status?.DiskState == DiskState.Failed);
        story.Await("the copy of a is given up, and b knows nothing of it",
            () => Story.Stored(story.A).DiskState == DiskState.Inconsistent
                && Array.TrueForAll(story.Pair.Nodes, node => node.Status?.Link == LinkState.Disconnected));
        story.Kill(story.A);
        copy.Data.Fault = null;
        story.Pair.StartNode(story.A);
        story.Networks.MendAll();
        story.AwaitHealthy(story.A);
        story.AwaitServing(story.A);
        Assert.Equal(0, story.Pair.Tally.Takeovers);
        Assert.Equal(1, story.Pair.Tally.AheadLost);
    }

    private static void Isolate(Story story)
    {
        story.Networks.Cut(Networks.Dedicated, "a", "b");
        story.Networks.LoseCarrier("a");
        story.AwaitServing(story.B);
        Assert.Equal(1, story.Pair.Tally.Takeovers);
        story.Networks.MendAll();
        story.AwaitHealthy(story.B);
    }

    /// <summary>A pair with a slow network, or with slow disks, so that there is always something on its way.</summary>
    private static Story InMode(ReplicationMode mode, Func<Scenario, Scenario>? change = null) => new(scenario =>
    {
        Scenario inMode = WithMuchOnItsWay(scenario, mode);
        return change?.Invoke(inMode) ?? inMode;
    });

    private static Scenario WithMuchOnItsWay(Scenario scenario, ReplicationMode mode) => scenario with
    {
        Mode = mode,
        AsyncBufferBytes = 256 * 1024,
        AsyncLagMs = 500,
        NetworkNs = mode == ReplicationMode.Memory ? scenario.NetworkNs : 20 * Story.Millisecond,
        DiskNs = mode == ReplicationMode.Memory ? 5 * Story.Millisecond : scenario.DiskNs,
        ThinkNs = 2 * Story.Millisecond,
        VolumeBytes = 16 * 1024 * 1024,
    };
}
