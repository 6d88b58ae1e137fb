using MirrorD.Core.Verify;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Both copies compared by the engine, with its real frames: on real disks and loops, and in stories.</summary>
public class VerifyTests
{
    private const int Slot = 128 * 1024;

    [Theory]
    [InlineData(ReplicationMode.Sync)]
    [InlineData(ReplicationMode.Memory)]
    [InlineData(ReplicationMode.Async)]
    public void Under_load_nothing_differs_and_a_byte_flipped_on_the_disk_is_found_and_repaired(ReplicationMode mode)
    {
        using var pair = new RealPair(16 << 20, mode);
        pair.A.Do(new ResourceCommand.Promote(false));
        const long flippedAt = 12 << 20;
        var client = new RealPair.Client(pair, pair.A, depth: 16, lengthBytes: 16384) { IsMixed = true, EndsAt = flippedAt };
        for (int round = 0; round < 3; round++)
        {
            pair.A.Do(new ResourceCommand.Verify());
            client.Run(pair, 500);
            VerifyPicture picture = Ended(pair);
            Assert.True(picture.IsClean, $"{picture} {string.Join(", ", picture.Findings)}");
            Assert.Equal(16 << 20, picture.ComparedBytes);
        }

        pair.B.FlipByte(flippedAt + 77);
        pair.A.Do(new ResourceCommand.Verify());
        Assert.Equal(
            [new VerifyFinding(0, flippedAt, Slot, VerifyOutcome.Differs, false)], Ended(pair).Findings);
        pair.A.Do(new ResourceCommand.Verify(Repair: true));
        client.Run(pair, 200);
        Assert.Equal(
            [new VerifyFinding(0, flippedAt, Slot, VerifyOutcome.Differs, true)], Ended(pair).Findings);
        pair.A.Do(new ResourceCommand.Verify());
        Assert.True(Ended(pair).IsClean);
    }

    private static VerifyPicture Ended(RealPair pair)
    {
        pair.Until("the verify has ended", () => pair.A.Resource.Status.Verify is { EndedNs: not null });
        return pair.A.Resource.Status.Verify!;
    }

    private static SimulatedPair Serving(int volumes = 1)
    {
        var pair = new SimulatedPair(volumes: volumes);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, Slot, 1);
        pair.A.Flush();
        return pair;
    }

    private static VerifyPicture Verify(SimulatedPair pair, bool repair = false)
    {
        CommandOutcome begun = pair.A.Do(new ResourceCommand.Verify(repair));
        Assert.True(begun.Succeeded, begun.Message);
        pair.Until("the verify has ended", () => pair.A.Resource.Status.Verify is { EndedNs: not null });
        return pair.A.Resource.Status.Verify!;
    }

    [Fact]
    public void All_volumes_are_compared_and_the_other_node_is_told()
    {
        SimulatedPair pair = Serving(volumes: 2);
        pair.A.Write(1 << 20, 4096, 7, volume: 1);
        VerifyPicture picture = Verify(pair);
        Assert.True(picture.IsClean, $"{picture}");
        Assert.Equal(32 << 20, picture.ComparedBytes);
        pair.Until("b knows of it", () => pair.B.Resource.Status.Verify is { IsOwn: false, IsClean: true });
        Assert.False(pair.B.Do(new ResourceCommand.Verify()).Succeeded);
    }

    [Fact]
    public void A_scheduled_one_is_begun_by_the_node_whose_turn_it_is_alone()
    {
        SimulatedPair pair = Serving();
        CommandOutcome there = pair.B.Do(new ResourceCommand.Verify(Scheduled: true));
        Assert.Equal((true, "a compares"), (there.Succeeded, there.Message));
        Assert.Null(pair.B.Resource.Status.Verify);
        Assert.True(pair.A.Do(new ResourceCommand.Verify(Scheduled: true)).Succeeded);
        pair.Until("the verify has ended", () => pair.A.Resource.Status.Verify is { IsClean: true });
        pair.B.PowerCut();
        pair.Until("the link is lost", () => pair.A.Resource.Status.Link != LinkState.Joined);
        CommandOutcome alone = pair.A.Do(new ResourceCommand.Verify(Scheduled: true));
        Assert.Equal((false, "b is not joined: Down"), (alone.Succeeded, alone.Message));
    }

    [Fact]
    public void What_the_standby_can_not_read_is_unreadable_and_a_repair_writes_it_again()
    {
        SimulatedPair pair = Serving();
        pair.B.MakeUnreadable(0, Slot);
        Assert.Equal(
            [new VerifyFinding(0, 0, Slot, VerifyOutcome.UnreadableThere, false)], Verify(pair).Findings);
        Assert.Equal(Slot, Verify(pair, repair: true).RepairedBytes);
        Assert.Equal(pair.A.Peek(0, 1 << 20), pair.B.Peek(0, 1 << 20));
        Assert.True(Verify(pair).IsClean);
        Assert.Contains(pair.A.Events, e => e.Contains("verify-unreadable") && e.Contains("on b"));
    }

    [Fact]
    public void A_standby_that_is_lost_ends_it_and_it_can_be_begun_anew()
    {
        SimulatedPair pair = Serving();
        pair.B.Hang(true);
        Assert.True(pair.A.Do(new ResourceCommand.Verify()).Succeeded);
        pair.B.PowerCut();
        pair.Until("the verify has ended", () => pair.A.Resource.Status.Verify is { EndedEarly: "the link was lost" });
        Assert.Contains(pair.A.Events, e => e.Contains("verify-ended") && e.Contains("up to 0 of volume 0"));
        pair.B.Hang(false);
        pair.B.Start();
        pair.Join();
        Assert.True(Verify(pair).IsClean);
    }
}
