using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>A resync whose source is lost half-way, and the way back to the copy from before it.</summary>
public class SnapshotTests
{
    // More than is copied between two flushes: bits go off half-way.
    private const int VolumeBytes = 96 << 20;

    [Fact]
    public void The_copy_from_before_comes_back_as_an_old_one_that_needs_everything()
    {
        SimulatedPair pair = HalfWay(out byte[] before, out byte[] newer);
        Assert.Contains("mirrorctl revert r", pair.B.Resource.Status.HoldUp!.Remedy, StringComparison.Ordinal);
        Assert.NotEqual(before, pair.B.Peek(0, VolumeBytes));
        Assert.True(pair.B.Do(new ResourceCommand.Revert()).Succeeded);
        Assert.Equal(before, pair.B.Peek(0, VolumeBytes));
        Assert.Equal(DiskState.Outdated, pair.B.Resource.Status.DiskState);
        Assert.Null(pair.B.Snapshots!.TakenAt);
        Superblock stored = Dead(pair.B).Stored(0);
        Assert.Equal((DiskState.Outdated, true, true), (stored.DiskState, stored.FullSyncNeeded, stored.ResyncFrom.IsNone));

        // The source comes back: what had left its map before it was lost is copied as well.
        pair.StartBoth();
        pair.Join();
        Assert.Equal(newer, pair.B.Peek(0, VolumeBytes));
        Assert.Equal(newer, pair.A.Peek(0, VolumeBytes));
    }

    [Fact]
    public void An_old_copy_serves_only_by_force_and_a_source_that_comes_back_then_is_a_split_brain()
    {
        SimulatedPair pair = HalfWay(out byte[] before, out byte[] newer);
        Assert.True(pair.B.Do(new ResourceCommand.Revert()).Succeeded);
        Assert.False(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(true)).Succeeded);
        SimulatedPair.Pending read = pair.B.Submit(VolumeOperation.Read, 40 << 20, 4096);
        pair.Until("a read", () => read.Error == 0);
        Assert.Equal(before[(40 << 20)..((40 << 20) + 4096)], read.Data);
        pair.A.Start();
        pair.Until("split brain", () => pair.B.Link == LinkState.Refused && pair.A.Link == LinkState.Refused);
        Assert.Equal(newer, pair.A.Peek(0, VolumeBytes));

        pair.A.Do(new ResourceCommand.Demote());
        Assert.True(pair.A.Do(new ResourceCommand.DiscardCopy()).Succeeded);
        pair.Join();
        Assert.Equal(before, pair.A.Peek(0, VolumeBytes));
        Assert.Equal(newer, pair.A.Snapshots!.Kept);
    }

    [Fact]
    public void A_daemon_that_dies_while_it_goes_back_has_the_mixture_and_the_snapshot_still()
    {
        SimulatedPair pair = HalfWay(out byte[] before, out _);
        pair.B.Snapshots!.DiesHalfway = true;
        pair.B.Resource.Command(new ResourceCommand.Revert(), _ => { });
        pair.Until("the disks are out of use", () => pair.B.Resource.Status.HoldUp is { State: "DiskFailed" });
        Assert.Contains("goes back to the snapshot", pair.B.Resource.Status.HoldUp!.Reason, StringComparison.Ordinal);
        Assert.False(pair.B.Do(new ResourceCommand.Revert()).Succeeded);
        Assert.False(pair.B.Do(new ResourceCommand.Promote(true)).Succeeded);
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        Superblock stored = Dead(pair.B).Stored(0);
        Assert.Equal((DiskState.Inconsistent, true), (stored.DiskState, stored.FullSyncNeeded));

        pair.B.Start();
        pair.Until("loaded", () => pair.B.Resource.Status.DiskState == DiskState.Inconsistent);
        pair.B.Snapshots.DiesHalfway = false;
        Assert.True(pair.B.Do(new ResourceCommand.Revert()).Succeeded);
        Assert.Equal(before, pair.B.Peek(0, VolumeBytes));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void When_going_back_ends_half_way_the_source_brings_also_what_had_left_its_map(bool dies)
    {
        SimulatedPair pair = HalfWay(out byte[] before, out byte[] newer);
        pair.B.Snapshots!.DiesHalfway = dies;
        pair.B.Snapshots.FailsHalfway = !dies;
        if (dies)
        {
            pair.B.Resource.Command(new ResourceCommand.Revert(), _ => { });
            pair.Until("half of it is old", () => pair.B.Peek(0, 4096).AsSpan().SequenceEqual(before.AsSpan(0, 4096)));
            pair.B.Kill();
            pair.B.Start();
        }
        else
        {
            CommandOutcome failed = pair.B.Do(new ResourceCommand.Revert());
            Assert.Equal((false, "the disk fails"), (failed.Succeeded, failed.Message));
            Assert.Contains("mirrorctl revert r", failed.Remedy, StringComparison.Ordinal);
        }

        pair.A.Start();
        pair.Join();
        Assert.Equal(newer, pair.B.Peek(0, VolumeBytes));
    }

    [Fact]
    public void Where_none_can_be_taken_the_resync_goes_on_without()
    {
        SimulatedPair pair = HalfWay(out _, out byte[] newer, "the file system is full");
        Assert.Contains(pair.B.Events, e => e.Contains("snapshot-failed r: no snapshot before the resync: the file system is full"));
        CommandOutcome refused = pair.B.Do(new ResourceCommand.Revert());
        Assert.False(refused.Succeeded);
        Assert.Contains("there is no snapshot", refused.Message, StringComparison.Ordinal);
        pair.A.Start();
        pair.Join();
        Assert.Equal(newer, pair.B.Peek(0, VolumeBytes));
    }

    private static SimulatedPair.Node Dead(SimulatedPair.Node node)
    {
        node.Kill();
        return node;
    }

    /// <summary>a wrote everything anew while b was away, and is lost when b has a part of it, durably.</summary>
    private static SimulatedPair HalfWay(out byte[] before, out byte[] newer, string? problem = null)
    {
        var pair = new SimulatedPair(dataBytes: VolumeBytes, onPeerLoss: PeerLoss.Continue);
        pair.A.Snapshots = new MemorySnapshots(pair.A, VolumeBytes);
        pair.B.Snapshots = new MemorySnapshots(pair.B, VolumeBytes) { Problem = problem };
        pair.A.ResyncBytesPerSecond = 32 << 20;
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        before = WriteAll(pair, 1);
        pair.B.Kill();
        newer = WriteAll(pair, 101);
        pair.B.Start();
        pair.Until("a part of it", () =>
            pair.A.Resource.Status.Resync is { } resync && resync.RemainingBytes is > 0 and < VolumeBytes - (32 << 20));
        pair.A.Kill();
        pair.Until("lost", () => pair.B.Resource.Status.HoldUp is { State: "ResyncTargetWithoutSource" });

        // What had arrived by then is still being written, which a command is refused for.
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        return pair;
    }

    private static byte[] WriteAll(SimulatedPair pair, byte first)
    {
        const int Piece = 128 * 1024;
        byte[] data = new byte[VolumeBytes];
        for (int i = 0; i < VolumeBytes / Piece; i++)
        {
            data.AsSpan(i * Piece, Piece).Fill((byte)(first + i));
            pair.A.Write((long)i * Piece, Piece, (byte)(first + i));
        }

        return data;
    }
}
