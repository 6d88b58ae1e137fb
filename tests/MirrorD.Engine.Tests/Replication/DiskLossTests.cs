using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Disks that fail, hang and come back, under the engine with its real frames.</summary>
public class DiskLossTests
{
    private const int Slot = 128 * 1024;

    private static SimulatedPair Serving(bool hasArbiter = false, int diskTimeoutMs = 0)
    {
        var pair = new SimulatedPair(hasArbiter: hasArbiter);
        pair.A.DiskTimeoutMs = pair.B.DiskTimeoutMs = diskTimeoutMs;
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, Slot, 1);
        pair.A.Write(Slot, 4096, 2);
        pair.A.Flush();
        return pair;
    }

    private static void ExpectRead(SimulatedPair pair, long offset, int length, byte fill)
    {
        SimulatedPair.Pending read = pair.A.Submit(VolumeOperation.Read, offset, length);
        pair.Until($"read at {offset}", () => read.Error is not null);
        Assert.Equal(0, read.Error);
        Assert.True(read.Data!.All(b => b == fill), $"{length} bytes at {offset} are {read.Data![0]} and not {fill}");
    }

    [Theory]
    [InlineData(OperationKind.Write)]
    [InlineData(OperationKind.Flush)]
    public void A_primary_whose_disk_fails_goes_on_and_its_copy_is_brought_up_to_date_by_what_it_lacks(OperationKind fails)
    {
        SimulatedPair pair = Serving();
        pair.A.FailDisks(fails);
        pair.A.Write(0, 4096, 3);
        pair.A.Flush();
        Assert.Equal((DiskState.Failed, LinkState.Diskless), (pair.A.Resource.Status.DiskState, pair.A.Link));
        Assert.Equal(LinkState.Diskless, pair.B.Link);
        pair.A.Write(8 << 20, Slot, 4);
        ExpectRead(pair, 8 << 20, Slot, 4);
        ExpectRead(pair, 0, 4096, 3);
        ExpectRead(pair, Slot, 4096, 2);
        SimulatedPair.Pending zero = pair.A.Submit(VolumeOperation.Zero, Slot, 1 << 20, fua: true);
        pair.Until("zero", () => zero.Error is not null);
        Assert.Equal(0, zero.Error);

        Assert.False(pair.A.Do(new ResourceCommand.Attach()).Succeeded);
        Assert.True(pair.A.Do(new ResourceCommand.Switchover()).Succeeded);
        pair.B.Write(12 << 20, 4096, 5);
        pair.A.FailDisks(null);
        CommandOutcome attached = pair.A.Do(new ResourceCommand.Attach());
        Assert.True(attached.Succeeded, attached.Message);
        pair.Join();
        Assert.Equal(pair.B.Peek(0, 16 << 20), pair.A.Peek(0, 16 << 20));
        Assert.Contains(pair.B.Events, e => e.Contains("resync-started"));
        Assert.Contains(pair.A.Events, e => e.Contains("PeerAhead, BitmapSync"));
    }

    [Fact]
    public void A_disk_that_takes_no_metadata_either_needs_the_arbiter()
    {
        SimulatedPair pair = Serving(hasArbiter: true);
        pair.ArbiterIsUp = false;
        pair.A.FailDisks(OperationKind.Write);
        pair.A.FailMetadata(OperationKind.Write);
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, 4096, 3);
        pair.World.RunUntil(() => write.Error is not null, 5 * SimulatedPair.SecondNs);
        Assert.Null(write.Error);
        Assert.Equal("FrozenNoArbiter", pair.A.Resource.Status.HoldUp?.State);
        pair.ArbiterIsUp = true;
        pair.Until("the write", () => write.Error is not null);
        Assert.Equal(0, write.Error);
        Assert.Equal(ProofKind.ArbiterGrant, pair.B.Resource.Status.Proof);
    }

    [Theory]
    [InlineData(0, 4096)]
    [InlineData(0, Slot)]
    public void A_range_that_can_not_be_read_is_answered_by_the_peer_and_repaired(long offset, int length)
    {
        SimulatedPair pair = Serving();
        pair.A.MakeUnreadable(offset, length);
        ExpectRead(pair, offset, length, 1);
        Assert.Equal(pair.B.Peek(offset, length), pair.A.Peek(offset, length));
        Assert.Contains(pair.A.Events, e => e.Contains("read-repaired"));
        Assert.Equal(LinkState.Joined, pair.A.Link);
        pair.Until("the count", () => pair.A.Resource.Status.RepairedReads == 1);
    }

    [Fact]
    public void More_reads_than_slots_go_through_the_peer()
    {
        SimulatedPair pair = Serving();
        pair.A.FailDisks(OperationKind.Write);
        pair.A.Write(0, Slot, 7);
        SimulatedPair.Pending[] reads =
            [.. Enumerable.Range(0, 256).Select(_ => pair.A.Submit(VolumeOperation.Read, 0, Slot))];
        pair.Until("all reads", () => reads.All(read => read.Error is not null));
        Assert.All(reads, read => Assert.True(read.Error == 0 && read.Data!.All(b => b == 7)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_disk_that_hangs_is_given_up_and_what_it_still_does_harms_nothing(bool metadataToo)
    {
        SimulatedPair pair = Serving(hasArbiter: metadataToo, diskTimeoutMs: 2000);
        pair.A.Hang(true, metadataToo);
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, Slot, 3);
        SimulatedPair.Pending read = pair.A.Submit(VolumeOperation.Read, Slot, 4096);
        pair.Until("write and read", () => write.Error is not null && read.Error is not null, 10);
        Assert.Equal((0, 0), (write.Error, read.Error));
        Assert.True(read.Data!.All(b => b == 2));
        Assert.Equal(LinkState.Diskless, pair.A.Link);

        // The slots are used again, over and over.
        for (int i = 0; i < 300; i++)
        {
            pair.A.Write(i % 16 * Slot, Slot, (byte)i);
        }

        Assert.True(pair.A.Do(new ResourceCommand.Switchover()).Succeeded);
        Assert.False(pair.A.Do(new ResourceCommand.Attach()).Succeeded);
        pair.A.Hang(false);
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        CommandOutcome attached = pair.A.Do(new ResourceCommand.Attach());
        Assert.True(attached.Succeeded, attached.Message);
        pair.Join();
        Assert.Equal(pair.B.Peek(0, 16 << 20), pair.A.Peek(0, 16 << 20));
    }

    [Fact]
    public void A_read_that_hangs_is_answered_by_the_peer_and_its_late_data_reaches_nobody()
    {
        SimulatedPair pair = Serving(diskTimeoutMs: 2000);
        pair.A.Hang(true);
        SimulatedPair.Pending read = pair.A.Submit(VolumeOperation.Read, 0, Slot);
        pair.Until("the read", () => read.Error is not null, 10);
        Assert.True(read.Error == 0 && read.Data!.All(b => b == 1));
        Assert.Equal(LinkState.Diskless, pair.A.Link);
    }

    [Fact]
    public void A_standby_whose_disk_hangs_is_left_behind()
    {
        SimulatedPair pair = Serving(diskTimeoutMs: 2000);
        pair.B.Hang(true);
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, Slot, 3);
        pair.Until("the write", () => write.Error is not null, 10);
        Assert.Equal(0, write.Error);
        Assert.Equal(ProofKind.PeerOutdated, pair.A.Resource.Status.Proof);
        pair.A.Write(0, Slot, 4);
        Assert.False(pair.B.Do(new ResourceCommand.Attach()).Succeeded);
        pair.B.Hang(false);
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        Assert.True(pair.B.Do(new ResourceCommand.Attach()).Succeeded);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
    }

    [Fact]
    public void A_copy_whose_loss_could_not_be_stored_does_not_count_when_it_is_attached()
    {
        SimulatedPair pair = Serving(hasArbiter: true);
        pair.B.FailDisks(OperationKind.Write);
        pair.B.FailMetadata(OperationKind.Write);
        pair.A.Write(0, 4096, 9);
        Assert.Equal(ProofKind.ArbiterGrant, pair.A.Resource.Status.Proof);
        pair.World.Network.Cut("a", "b");
        pair.B.FailDisks(null);
        pair.B.FailMetadata(null);
        Assert.True(pair.B.Do(new ResourceCommand.Attach()).Succeeded);
        Assert.Equal(DiskState.Inconsistent, pair.B.Resource.Status.DiskState);
        pair.World.Network.Mend("a", "b");
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
    }

    [Fact]
    public void A_standby_is_detached_and_attached_without_an_interruption()
    {
        SimulatedPair pair = Serving();
        Assert.True(pair.B.Do(new ResourceCommand.Detach()).Succeeded);
        Assert.Equal(DiskState.Diskless, pair.B.Resource.Status.DiskState);
        pair.A.Write(0, 4096, 9);
        Assert.False(pair.A.Do(new ResourceCommand.Detach()).Succeeded);
        Assert.True(pair.B.Do(new ResourceCommand.Attach()).Succeeded);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
    }

    [Fact]
    public void A_lost_link_holds_the_requests_of_a_primary_without_disk_until_it_is_back()
    {
        SimulatedPair pair = Serving();
        Assert.True(pair.A.Do(new ResourceCommand.Detach()).Succeeded);
        pair.A.Write(0, 4096, 3);
        pair.World.Network.Cut("a", "b");
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 4096, 4096, 4);
        pair.Until("the loss", () => pair.A.Resource.Status.HoldUp?.State == "FrozenNoDisk");
        Assert.False(pair.A.HoldsAddresses);
        pair.World.Network.Mend("a", "b");
        pair.Until("the write", () => write.Error is not null);
        Assert.Equal(0, write.Error);
        pair.Until("the addresses", () => pair.A.HoldsAddresses);
        ExpectRead(pair, 4096, 4096, 4);
    }
}
