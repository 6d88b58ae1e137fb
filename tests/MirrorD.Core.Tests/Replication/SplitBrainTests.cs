using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>Two nodes that both went on, and an operator who says which copy gives way.</summary>
public sealed class SplitBrainTests
{
    [Fact]
    public void Without_a_word_no_data_moves()
    {
        ManualPair pair = Split();
        Assert.Equal("SplitBrain", pair.B.Replica.DescribeHoldUp()?.Name);
        Assert.Contains("mirrorctl split-brain", pair.B.Replica.DescribeHoldUp()?.Remedy, StringComparison.Ordinal);
        pair.Tick();
        pair.LinkUp();
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, pair.B.Replica.LastDecision?.Case);
        Assert.Equal((1, 0, 2), (pair.A.Disk[10], pair.A.Disk[20], pair.A.Disk[30]));
        Assert.Equal((0, 5, 6), (pair.B.Disk[10], pair.B.Disk[20], pair.B.Disk[30]));
    }

    [Fact]
    public void Nodes_that_stay_apart_tell_it_once_and_again_when_something_else_comes_of_it()
    {
        ManualPair pair = Split();
        int told = pair.A.Events.Count(IsTold);
        for (int meetings = 0; meetings < 5; meetings++)
        {
            pair.LinkUp();
            Assert.Equal(LinkPhase.Down, pair.A.Replica.Phase);
        }

        Assert.Equal(told, pair.A.Events.Count(IsTold));
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.LinkUp();
        pair.LinkDown();
        Assert.Equal(told + 2, pair.A.Events.Count(IsTold));

        static bool IsTold(string line) =>
            line.StartsWith("handshake ", StringComparison.Ordinal)
            || line.StartsWith("link-lost ", StringComparison.Ordinal);
    }

    [Fact]
    public void The_copy_that_gives_way_gets_what_changed_on_either_side_from_the_other()
    {
        ManualPair pair = Split();
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        Assert.Equal(6, pair.B.Disk[30]);
        pair.LinkUp();

        Assert.True(pair.B.Answers[^1].Succeeded);
        Assert.Equal(HandshakeAction.BitmapSync, pair.B.Replica.LastDecision?.Action);
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.Equal((1, 0, 2), (pair.B.Disk[10], pair.B.Disk[20], pair.B.Disk[30]));
        Assert.False(pair.B.Stored[0].WasPrimary);
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        Assert.Equal(0, pair.A.Write(40, 7).Result);
        Assert.Equal(7, pair.B.Disk[40]);
    }

    [Fact]
    public void The_copy_of_the_first_primary_can_give_way_as_well()
    {
        ManualPair pair = Split();
        Assert.Contains("Primary", pair.A.Replica.RefusalOfDiscard()?.Message, StringComparison.Ordinal);
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        pair.A.Replica.DiscardCopy(pair.A.Answer);
        pair.LinkUp();
        Assert.True(pair.A.Answers[^1].Succeeded);
        Assert.Equal((0, 5, 6), (pair.A.Disk[10], pair.A.Disk[20], pair.A.Disk[30]));
        Assert.Equal(pair.B.Disk, pair.A.Disk);
    }

    [Fact]
    public void Where_no_base_is_known_everything_is_copied()
    {
        ManualPair pair = Split(knowsBase: false);
        Assert.Equal(HandshakeCase.SplitBrain, pair.B.Replica.LastDecision?.Case);
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.LinkUp();
        Assert.Equal(HandshakeAction.FullSync, pair.B.Replica.LastDecision?.Action);
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void A_word_on_both_sides_moves_nothing()
    {
        ManualPair pair = Split();
        pair.A.Replica.Demote(pair.A.Answer);
        pair.Run();
        pair.A.Replica.DiscardCopy(pair.A.Answer);
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.LinkUp();
        Assert.All([pair.A, pair.B], node =>
        {
            Assert.Contains("both nodes", node.Answers[^1].Message, StringComparison.Ordinal);
            Assert.Equal(DiskState.UpToDate, node.Stored[0].DiskState);
        });
        Assert.Equal((2, 6), (pair.A.Disk[30], pair.B.Disk[30]));
    }

    [Fact]
    public void A_peer_that_does_not_come_ends_the_wait_and_nothing_is_discarded_later()
    {
        ManualPair pair = Split();
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.Tick(31_000_000_000);
        Assert.Contains("did not connect", pair.B.Answers[^1].Message, StringComparison.Ordinal);
        pair.LinkUp();
        Assert.Equal(HandshakeAction.SplitBrain, pair.B.Replica.LastDecision?.Action);
        Assert.Equal(6, pair.B.Disk[30]);
    }

    [Fact]
    public void Where_there_is_no_split_brain_it_is_refused()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.Contains("no split brain", pair.B.Replica.RefusalOfDiscard()?.Message, StringComparison.Ordinal);
        pair.LinkDown();
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        Assert.False(pair.B.Answers[^1].Succeeded);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_interrupted_resync_goes_on_without_another_word(bool dies)
    {
        ManualPair pair = Split();
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.True(pair.B.Answers[^1].Succeeded);
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        Assert.Equal(6, pair.B.Disk[30]);
        pair.LinkDown();
        if (dies)
        {
            pair.B.Crash(new Random(1), powerCut: true);
        }

        pair.A.Write(50, 8);
        pair.Go(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal((HandshakeCase.PeerAhead, HandshakeAction.BitmapSync),
            (pair.B.Replica.LastDecision!.Value.Case, pair.B.Replica.LastDecision!.Value.Action));
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.Equal(8, pair.B.Disk[50]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_link_that_is_lost_in_between_delays_it(bool isBeingStored)
    {
        ManualPair pair = Split();
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        int answers = pair.B.Answers.Count;
        (ManualNode Node, string Kind) stopped = isBeingStored ? (pair.B, "superblock") : (pair.A, "send");
        pair.Stop(stopped.Node, stopped.Kind);
        pair.LinkUp();
        pair.LinkDown(run: false);
        pair.Go(stopped.Node, stopped.Kind);
        Assert.Equal(isBeingStored ? DiskState.Inconsistent : DiskState.UpToDate, pair.B.Stored[0].DiskState);
        Assert.Equal(6, pair.B.Disk[30]);
        Assert.Equal(answers, pair.B.Answers.Count);

        pair.LinkUp();
        Assert.True(pair.B.Answers[^1].Succeeded);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    /// <summary>A went on alone under its policy, B was promoted by force and is Standby again; they have met.</summary>
    private static ManualPair Split(bool knowsBase = true)
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(10, 1).Result);
        Assert.Equal(0, pair.A.Write(30, 2).Result);
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Run();
        Assert.Equal(0, pair.B.Write(20, 5).Result);
        Assert.Equal(0, pair.B.Write(30, 6).Result);
        pair.B.Replica.Demote(pair.B.Answer);
        pair.Run();
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
        if (!knowsBase)
        {
            pair.B.Rewrite(s => s with { Bitmap = Generation.None, History = [s.Bitmap, .. s.History] });
        }

        pair.LinkUp();
        Assert.Equal(HandshakeAction.SplitBrain, pair.B.Replica.LastDecision?.Action);
        Assert.Equal(LinkPhase.Down, pair.B.Replica.Phase);
        return pair;
    }
}
