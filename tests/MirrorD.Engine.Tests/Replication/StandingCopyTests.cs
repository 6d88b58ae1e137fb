using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>The copy of a Standby is opened for reading, and closed by whatever leads to other data in it.</summary>
public class StandingCopyTests
{
    private const int Length = 4096;

    [Fact]
    public void In_a_split_brain_the_copy_of_the_standby_is_read_and_nothing_is_written_through_it()
    {
        SimulatedPair pair = Split();
        CommandOutcome opened = pair.B.Do(new ResourceCommand.OpenCopy());
        Assert.True(opened.Succeeded, opened.Message);
        Assert.True(pair.B.Resource.Status.IsCopyOpen);
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        Assert.True(pair.B.Copies[0].IsReadOnly);
        Assert.Null(pair.B.Copies[0].Unavailable);
        Assert.All(Read(pair), b => Assert.Equal(2, b));

        SimulatedPair.Pending write = pair.B.Submit(pair.B.Copies[0], VolumeOperation.Write, 0, Length, 9);
        SimulatedPair.Pending zero = pair.B.Submit(pair.B.Copies[0], VolumeOperation.Zero, 0, Length);
        pair.Until("answers", () => write.Error is not null && zero.Error is not null);
        Assert.Equal((Errno.EPERM, Errno.EPERM), (write.Error, zero.Error));
        Assert.All(pair.B.Peek(0, Length), b => Assert.Equal(2, b));

        // Meetings that lead to nothing leave it open.
        int met = 0;
        bool isMeeting = false;
        int told = pair.B.Events.Count;
        pair.Until("more handshakes", () =>
        {
            bool meets = pair.B.Link == LinkState.Joining;
            met += meets && !isMeeting ? 1 : 0;
            isMeeting = meets;
            return met > 2 && !meets;
        });
        Assert.True(pair.B.AreCopiesOpen);
        Assert.Equal(told, pair.B.Events.Count);

        Assert.True(pair.B.Do(new ResourceCommand.CloseCopy()).Succeeded);
        Assert.False(pair.B.AreCopiesOpen);
        Assert.False(pair.B.Resource.Status.IsCopyOpen);
        Assert.False(pair.B.Do(new ResourceCommand.CloseCopy()).Succeeded);
        Refused(pair);
    }

    [Fact]
    public void The_word_that_it_gives_way_closes_it_and_a_read_that_is_late_brings_nothing()
    {
        SimulatedPair pair = Split();
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        pair.B.Hang(true);
        SimulatedPair.Pending late = Begin(pair);
        CommandOutcome? discarded = null;
        pair.B.Resource.Command(new ResourceCommand.DiscardCopy(), outcome => discarded = outcome);
        pair.Until("J1", () => discarded is not null);
        Assert.True(discarded!.Succeeded, discarded.Message);
        Assert.False(pair.B.AreCopiesOpen);
        Assert.Contains(pair.B.Events, line => line.Contains("copy-export-ended", StringComparison.Ordinal));
        Assert.Null(late.Error);
        pair.B.Hang(false);
        pair.Until("the late read", () => late.Error is not null);
        Assert.Equal(Errno.ESHUTDOWN, late.Error);
        pair.Join();
        Assert.All(pair.B.Peek(0, Length), b => Assert.Equal(1, b));
        Refused(pair);
    }

    [Fact]
    public void A_promotion_closes_it_before_it_serves()
    {
        SimulatedPair pair = Split();
        pair.World.Network.Cut("a", "b");
        pair.Until("lost", () => pair.B.Link != LinkState.Joining);
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        pair.B.Hang(true);
        SimulatedPair.Pending late = Begin(pair);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(true)).Succeeded);
        Assert.False(pair.B.AreCopiesOpen);
        pair.B.Hang(false);
        pair.Until("the late read", () => late.Error is not null);
        Assert.Equal(Errno.ESHUTDOWN, late.Error);
        Refused(pair);
        Assert.Contains("Primary", pair.B.Do(new ResourceCommand.OpenCopy()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_of_an_earlier_opening_is_not_answered_in_a_later_one()
    {
        SimulatedPair pair = Split();
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        IVolumeFrontend earlier = pair.B.Copies[0];
        pair.B.Hang(true);
        SimulatedPair.Pending late = Begin(pair);
        Assert.True(pair.B.Do(new ResourceCommand.CloseCopy()).Succeeded);
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        pair.B.Hang(false);
        pair.Until("the late read", () => late.Error is not null);
        Assert.Equal(Errno.ESHUTDOWN, late.Error);
        Assert.NotSame(earlier, pair.B.Copies[0]);
        Assert.All(Read(pair), b => Assert.Equal(2, b));
    }

    [Fact]
    public void Disks_that_are_taken_out_of_use_close_it()
    {
        SimulatedPair pair = Served();
        pair.World.Network.Cut("a", "b");
        pair.Until("lost", () => pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        Assert.True(pair.B.Do(new ResourceCommand.Detach()).Succeeded);
        Refused(pair);
        Assert.False(pair.B.AreCopiesOpen);
        Assert.False(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
    }

    [Fact]
    public void A_standby_that_is_joined_and_one_that_meets_its_primary_again_are_not_open()
    {
        SimulatedPair pair = Served();
        Assert.Contains("is connected", pair.B.Do(new ResourceCommand.OpenCopy()).Message, StringComparison.Ordinal);
        pair.World.Network.Cut("a", "b");
        pair.Until("lost", () => pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.B.Do(new ResourceCommand.OpenCopy()).Succeeded);
        pair.World.Network.Mend("a", "b");
        pair.Until("it is met again", () => !pair.B.AreCopiesOpen);
        pair.Join();
        Refused(pair);
    }

    [Fact]
    public void A_mixture_is_not_shown()
    {
        SimulatedPair pair = Split();
        pair.B.Kill();
        pair.B.Stored(0, stored => stored with { DiskState = DiskState.Inconsistent });
        pair.B.Start();
        pair.Until("loaded", () => pair.B.Resource.Status.DiskState == DiskState.Inconsistent);
        Assert.Contains("mixture", pair.B.Do(new ResourceCommand.OpenCopy()).Message, StringComparison.Ordinal);
    }

    private static SimulatedPair.Pending Begin(SimulatedPair pair) =>
        pair.B.Submit(pair.B.Copies[0], VolumeOperation.Read, 0, Length);

    private static byte[] Read(SimulatedPair pair)
    {
        SimulatedPair.Pending read = Begin(pair);
        pair.Until("a read", () => read.Error is not null);
        Assert.Equal(0, read.Error);
        return read.Data!;
    }

    /// <summary>Whoever still has what was opened gets nothing.</summary>
    private static void Refused(SimulatedPair pair)
    {
        Assert.NotNull(pair.B.Copies[0].Unavailable);
        SimulatedPair.Pending read = Begin(pair);
        pair.Until("a refusal", () => read.Error is not null);
        Assert.Equal(Errno.ESHUTDOWN, read.Error);
    }

    private static SimulatedPair Served()
    {
        var pair = new SimulatedPair(onPeerLoss: PeerLoss.Continue);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        return pair;
    }

    /// <summary>a is Primary and wrote ones, b was promoted by force, wrote twos, and is Standby again.</summary>
    private static SimulatedPair Split()
    {
        SimulatedPair pair = Served();
        pair.World.Network.Cut("a", "b");
        pair.Until("lost", () => pair.A.Link == LinkState.Disconnected && pair.B.Link == LinkState.Disconnected);
        pair.A.Write(0, Length, 1);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(true)).Succeeded);
        pair.B.Write(0, Length, 2);
        Assert.True(pair.B.Do(new ResourceCommand.Demote()).Succeeded);
        pair.World.Network.Mend("a", "b");
        pair.Until("split brain", () => pair.A.Link == LinkState.Refused && pair.B.Link == LinkState.Refused);
        return pair;
    }
}
