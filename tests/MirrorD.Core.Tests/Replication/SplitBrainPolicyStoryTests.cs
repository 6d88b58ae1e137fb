using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>Two nodes that both went on, and a policy that says which copy gives way.</summary>
public sealed class SplitBrainPolicyStoryTests
{
    [Fact]
    public void A_standby_that_changed_nothing_gives_way_and_the_pair_joins()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardUnchanged, changes: false);
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal((1, 2), (pair.B.Disk[10], pair.B.Disk[30]));
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        Assert.All([pair.A, pair.B], node => Assert.Single(
            node.Events, line => line.StartsWith(
                "split-brain-resolved r: by the policy discard-unchanged the copy of n2 gives way, with 0 blocks",
                StringComparison.Ordinal)));
    }

    [Fact]
    public void One_that_changed_something_waits_for_an_operator_whose_word_counts_as_ever()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardUnchanged);
        Assert.Equal("SplitBrain", pair.B.Replica.DescribeHoldUp()?.Name);
        Assert.Contains(
            "discard-unchanged does not decide", pair.B.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        Assert.Equal((5, 6), (pair.B.Disk[20], pair.B.Disk[30]));

        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.LinkUp();
        Assert.True(pair.B.Answers[^1].Succeeded);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.DoesNotContain(pair.B.Events, line => line.StartsWith("split-brain-resolved", StringComparison.Ordinal));
    }

    [Fact]
    public void With_the_wider_policy_the_standby_gives_way_to_the_primary_with_all_that_it_changed()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal((1, 0, 2), (pair.B.Disk[10], pair.B.Disk[20], pair.B.Disk[30]));
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.Contains(pair.A.Events, line => line.Contains("n2 gives way, with 2 blocks", StringComparison.Ordinal));
        Assert.False(pair.B.Stored[0].WasPrimary);
    }

    [Fact]
    public void Two_standbys_that_both_changed_something_and_two_primaries_wait_for_an_operator()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, demotesB: false);
        Assert.Contains("both nodes are Primary", pair.A.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        foreach (ManualNode node in (ManualNode[])[pair.A, pair.B])
        {
            node.Replica.Demote(node.Answer);
            pair.Run();
        }

        pair.LinkUp();
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, pair.A.Replica.LastDecision?.Case);
        Assert.Equal((2, 6), (pair.A.Disk[30], pair.B.Disk[30]));
    }

    [Fact]
    public void A_primary_that_crashed_is_spared()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, demotesB: false);
        pair.B.Crash(new Random(1), powerCut: true);
        pair.LinkUp();
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, pair.B.Replica.LastDecision?.Case);
        Assert.Equal(6, pair.B.Disk[30]);
    }

    [Fact]
    public void A_primary_whose_daemon_was_stopped_as_planned_is_spared()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, demotesB: false);
        pair.LinkDown();
        pair.B.Replica.Stop(pair.B.Answer);
        pair.Run();
        Assert.False(pair.B.Stored[0].WasPrimary);
        pair.B.Crash(new Random(1), powerCut: false);
        pair.LinkUp();
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, pair.B.Replica.LastDecision?.Case);
        Assert.Contains(
            "spares this copy: it has changed", pair.B.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        Assert.Contains("spares the copy of n2", pair.A.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        Assert.Equal(6, pair.B.Disk[30]);
    }

    [Fact]
    public void What_can_not_be_kept_is_left_to_an_operator()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, snapshotsFail: true);
        Assert.Equal(LinkPhase.Down, pair.B.Replica.Phase);
        Assert.True(pair.B.Stored[0].DiskState > DiskState.Inconsistent);
        pair.LinkUp();
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, pair.A.Replica.LastDecision?.Case);
        Assert.Contains("could not be kept", pair.B.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        Assert.Equal((5, 6), (pair.B.Disk[20], pair.B.Disk[30]));
        pair.B.Replica.DiscardCopy(pair.B.Answer);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
    }

    [Fact]
    public void What_changed_is_kept_for_good_and_what_did_not_is_only_kept_during_the_resync()
    {
        Assert.True(Assert.Single(Split(SplitBrainPolicy.DiscardStandby).B.Snapshots).Keeps);
        Assert.False(Assert.Single(Split(SplitBrainPolicy.DiscardUnchanged, changes: false).B.Snapshots).Keeps);
    }

    [Fact]
    public void Different_policies_are_none_and_the_status_says_so()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, SplitBrainPolicy.DiscardUnchanged, changes: false);
        Assert.Equal("SplitBrain", pair.A.Replica.DescribeHoldUp()?.Name);
        Assert.Contains("'split-brain' is discard-standby here and discard-unchanged there",
            pair.A.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        Assert.Contains("'split-brain' is discard-unchanged here and discard-standby there",
            pair.B.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_copy_that_is_being_read_waits_until_that_ends()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, isRead: true);
        Assert.Equal(HandshakeCase.SplitBrainKnownBase, pair.B.Replica.LastDecision?.Case);
        Assert.Contains("open for reading", pair.B.Replica.DescribeHoldUp()?.Reason, StringComparison.Ordinal);
        Assert.Equal(6, pair.B.Disk[30]);
        pair.B.Replica.IsRead = false;
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
    }

    [Fact]
    public void An_interrupted_end_goes_on_without_the_policy()
    {
        ManualPair pair = Split(SplitBrainPolicy.DiscardStandby, stopsCopies: true);
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        pair.LinkDown();
        pair.B.Crash(new Random(1), powerCut: true);
        pair.Go(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(HandshakeCase.PeerAhead, pair.B.Replica.LastDecision?.Case);
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    /// <summary>A went on alone, B was promoted by force and is Standby again; they have met with these policies.</summary>
    private static ManualPair Split(
        SplitBrainPolicy policy, SplitBrainPolicy? atB = null, bool changes = true, bool demotesB = true, bool isRead = false,
        bool stopsCopies = false, bool snapshotsFail = false)
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true, adjust: settings => settings with
        {
            SplitBrainPolicy = settings.NodeName == "n2" ? atB ?? policy : policy,
            SnapshotsTarget = true,
        });
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(10, 1).Result);
        Assert.Equal(0, pair.A.Write(30, 2).Result);
        pair.B.Replica.Promote(true, pair.B.Answer);
        pair.Run();
        if (changes)
        {
            Assert.Equal(0, pair.B.Write(20, 5).Result);
            Assert.Equal(0, pair.B.Write(30, 6).Result);
        }

        if (demotesB)
        {
            pair.B.Replica.Demote(pair.B.Answer);
            pair.Run();
        }

        pair.B.Replica.IsRead = isRead;
        pair.B.SnapshotsFail = snapshotsFail;
        if (stopsCopies)
        {
            pair.Stop(pair.A, "copy");
        }

        pair.LinkUp();
        return pair;
    }
}
