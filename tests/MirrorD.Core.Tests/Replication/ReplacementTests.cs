using MirrorD.Core.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A machine that is gone for good, and another one in its place.</summary>
public sealed class ReplacementTests
{
    private static readonly NodeId s_other = new(new Guid("0000002a-0000-0000-0000-000000000000"));

    [Fact]
    public void Before_a_first_join_any_machine_with_the_key_is_let_in()
    {
        var pair = new ManualPair();
        Assert.True(pair.A.Replica.Admits(s_other));
        Assert.True(pair.A.Replica.Admits(pair.B.Stored[0].Node));
    }

    [Fact]
    public void After_it_only_the_machine_that_was_joined_is_let_in()
    {
        ManualPair pair = ManualPair.Serving();
        Assert.True(pair.A.Replica.Admits(pair.B.Stored[0].Node));
        Assert.False(pair.A.Replica.Admits(s_other));
        Assert.Contains(pair.A.Events, told => told.StartsWith("stranger", StringComparison.Ordinal));
        pair.LinkDown();
        Assert.False(pair.B.Replica.Admits(s_other));
        NamedState? state = pair.B.Replica.DescribeHoldUp();
        Assert.Equal("PeerUnknown", state?.Name);
        Assert.Contains("mirrorctl node replace n1", state?.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_stranger_is_told_of_once_and_forgotten_when_the_peer_is_back()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();
        Assert.False(pair.B.Replica.Admits(s_other));
        Assert.False(pair.B.Replica.Admits(s_other));
        Assert.Single(pair.B.Events, told => told.StartsWith("stranger", StringComparison.Ordinal));
        Assert.True(pair.B.Replica.Admits(pair.A.Stored[0].Node));
        Assert.NotEqual("PeerUnknown", pair.B.Replica.DescribeHoldUp()?.Name);
    }

    [Fact]
    public void After_the_replacement_the_new_machine_is_let_in_and_the_old_one_never_again()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        NodeId old = pair.B.Stored[0].Node;
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(5, 50).Result);
        Assert.False(pair.A.Replica.Admits(s_other));
        pair.A.Replica.ReplacePeer(pair.A.Answer);
        pair.Run();

        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
        Assert.Equal(s_other, pair.A.Stored[0].Peer);
        Assert.Equal(0UL, pair.A.Stored[0].PeerSequence);
        Assert.True(pair.A.Replica.Admits(s_other));
        Assert.False(pair.A.Replica.Admits(old));

        // It serves on meanwhile, and knows it after a restart as well.
        Assert.Equal(0, pair.A.Write(6, 60).Result);
        pair.A.Crash(new Random(1), powerCut: true);
        Assert.False(pair.A.Replica.Admits(old));
        Assert.True(pair.A.Replica.Admits(s_other));
    }

    [Fact]
    public void Nothing_is_replaced_while_the_peer_is_connected_or_before_a_new_machine_is_there()
    {
        ManualPair pair = ManualPair.Serving();
        Refused(pair.A, "connected");
        pair.LinkDown();
        Refused(pair.A, "no other machine has answered");
        Assert.False(pair.A.Replica.Admits(s_other));
        pair.Tick();
        Assert.Equal(pair.B.Stored[0].Node, pair.A.Stored[0].Peer);

        void Refused(ManualNode node, string cause)
        {
            node.Replica.ReplacePeer(node.Answer);
            pair.Run();
            Assert.False(node.Answers[^1].Succeeded);
            Assert.Contains(cause, node.Answers[^1].Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_copy_that_may_be_older_than_that_of_the_lost_machine_does_not_take_its_place()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();
        pair.B.Rewrite(s => s with { DiskState = DiskState.Outdated });
        Assert.False(pair.B.Replica.Admits(s_other));
        pair.B.Replica.ReplacePeer(pair.B.Answer);
        Assert.Contains("Outdated", pair.B.Answers[^1].Message, StringComparison.Ordinal);
        Assert.Equal(pair.A.Stored[0].Node, pair.B.Stored[0].Peer);
    }
}
