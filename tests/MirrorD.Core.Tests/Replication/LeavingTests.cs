using MirrorD.Core.Replication;
using MirrorD.Formats;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A node that an operator disconnects and connects again: nothing freezes, and nothing is forgotten.</summary>
public class LeavingTests
{
    [Fact]
    public void A_standby_stores_outdated_before_it_leaves_and_the_primary_goes_on()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.Write(1, 10);
        pair.Stop(pair.B, "superblock");
        pair.B.Replica.Disconnect(pair.B.Answer);
        pair.Run();

        Assert.Empty(pair.B.Answers);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(0, pair.A.Write(1, 11).Result);
        pair.Go(pair.B, "superblock");

        Assert.True(pair.B.Answers[^1].Succeeded, pair.B.Answers[^1].Message);
        Assert.True(pair.B.Stored[0] is { DiskState: DiskState.Outdated, Disconnected: true });
        Assert.Equal(ProofKind.PeerOutdated, pair.A.Stored[0].Proof.Kind);
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
        Assert.Equal(0, pair.A.Write(2, 12).Result);
        Assert.Equal(0, pair.B.Disk[2]);
        Assert.Equal("Disconnected", pair.B.Replica.DescribeHoldUp()!.Name);
        Assert.Equal("mirrorctl connect r", pair.B.Replica.DescribeHoldUp()!.Remedy);
    }

    [Fact]
    public void Neither_a_restart_nor_the_peer_connects_a_node_that_was_disconnected()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Replica.Disconnect(pair.B.Answer);
        pair.Run();
        pair.A.Write(7, 3);
        pair.B.Crash(new Random(1), powerCut: false);
        pair.LinkUp();
        Assert.True(pair.B.Replica.IsDisconnected);
        Assert.Equal(LinkPhase.Down, pair.A.Replica.Phase);

        pair.B.Replica.Connect(pair.B.Answer);
        pair.Run();
        int copiesBefore = pair.A.Events.Count;
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Contains("handshake r: SelfAhead, BitmapSync, this node is Source", pair.A.Events[copiesBefore..]);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.False(pair.B.Stored[0].Disconnected);
        Assert.Null(pair.B.Replica.DescribeHoldUp());
    }

    [Fact]
    public void A_primary_leaves_only_with_the_proof_that_its_standby_is_outdated()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.A.Answers.Clear();
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        Assert.Empty(pair.A.Answers);
        Assert.Equal(0, pair.A.Write(1, 5).Result);
        Assert.False(pair.A.Stored[0].Disconnected);

        pair.Stop(pair.A, "superblock");
        pair.Go(pair.B, "superblock");
        Assert.Equal(DiskState.Outdated, pair.B.Stored[0].DiskState);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        pair.Go(pair.A, "superblock");

        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
        Assert.True(pair.A.Stored[0] is { Disconnected: true, Proof.Kind: ProofKind.PeerOutdated });
        Assert.False(pair.B.Stored[0].Disconnected);
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
        Assert.Equal(0, pair.A.Write(2, 6).Result);
        Assert.Equal("Disconnected", pair.A.Replica.DescribeHoldUp()!.Name);

        pair.A.Replica.Connect(pair.A.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void In_async_nothing_is_answered_ahead_on_a_link_that_a_primary_is_about_to_end()
    {
        ManualPair pair = ManualPair.Serving(adjust: settings => settings with
        {
            Mode = ReplicationMode.Async,
            AheadBytes = 1 << 20,
            AheadNs = 10_000_000_000,
        });
        pair.Stop(pair.A, "close");
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Stored[0].Disconnected);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        pair.Stop(pair.A, "send");
        ManualRequest write = pair.A.Write(1, 5);
        Assert.Null(write.Result);
        Assert.True(pair.A.Stored[0].Bitmap.IsNone);
        pair.Go(pair.A, "close");
        Assert.Equal(0, write.Result);
        Assert.False(pair.A.Stored[0].Bitmap.IsNone);
    }

    [Fact]
    public void A_primary_whose_standby_can_not_store_that_stays_connected()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.A.Answers.Clear();
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        pair.Tick(Limits.LeavePatienceNs);
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Equal(0, pair.A.Write(1, 5).Result);

        // Its goodbye comes too late; it does not stand by as Outdated, but joins anew.
        pair.Go(pair.B, "superblock");
        Assert.Equal(LinkPhase.Down, pair.B.Replica.Phase);
        pair.LinkUp();
        Assert.Equal(DiskState.UpToDate, pair.B.Stored[0].DiskState);
        Assert.Equal(0, pair.A.Write(1, 6).Result);
        Assert.Equal(6, pair.B.Disk[1]);
    }

    [Fact]
    public void A_standby_that_is_busy_with_its_role_refuses_and_the_primary_stays()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.Answers.Clear();
        pair.B.Replica.Invalidate(pair.B.Answer);
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Stop(pair.B, "superblock");
        pair.Run();
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Contains("another change is under way there", pair.A.Answers[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_primary_that_was_refused_may_ask_again()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Replica.RequestRole(pair.B.Answer);
        pair.Run();
        pair.A.Answers.Clear();
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        Assert.False(pair.A.Answers[^1].Succeeded);
        pair.A.Replica.RefuseRole("no", (_, _, _) => { });
        pair.Run();
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
    }

    [Fact]
    public void A_disconnect_while_the_copy_is_brought_up_to_date_is_resumed_where_it_was()
    {
        ManualPair pair = ManualPair.Serving();
        pair.LinkDown();
        pair.A.Replica.Promote(true, pair.A.Answer);
        pair.Run();
        pair.A.Write(3, 30);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Target, pair.B.Replica.Phase);
        pair.B.Replica.Disconnect(pair.B.Answer);
        pair.Run();
        Assert.True(pair.B.Stored[0] is { DiskState: DiskState.Inconsistent, Disconnected: true });
        Assert.Equal(WritePath.Alone, pair.A.Replica.Path);
        pair.Go(pair.A, "copy");
        pair.A.Write(4, 40);
        pair.B.Replica.Connect(pair.B.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
    }

    [Fact]
    public void Both_nodes_may_be_disconnected_and_each_has_to_be_connected()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Replica.Disconnect(pair.B.Answer);
        pair.Run();
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        Assert.True(pair.A.Answers[^1].Succeeded);
        pair.B.Replica.Connect(pair.B.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Down, pair.B.Replica.Phase);
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.A.Replica.Connect(pair.A.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
    }

    [Fact]
    public void What_would_freeze_or_lose_the_only_copy_is_refused()
    {
        // A Primary that waits for the right to go on.
        ManualPair frozen = ManualPair.Serving();
        frozen.LinkDown();
        Refused(frozen, frozen.A, "requests wait for n2");

        // A Standby whose Primary has no disk.
        ManualPair only = ManualPair.Serving();
        only.A.Replica.Detach(only.A.Answer);
        only.Run();
        Refused(only, only.B, "has no disk and goes on with this one");
        Refused(only, only.A, "no disk is attached");

        // A stop.
        ManualPair stopping = ManualPair.Serving();
        stopping.B.Replica.Stop(stopping.B.Answer);
        Refused(stopping, stopping.B, "another change is under way");

        static void Refused(ManualPair pair, ManualNode node, string why)
        {
            node.Answers.Clear();
            node.Replica.Disconnect(node.Answer);
            (bool succeeded, string message) = Assert.Single(node.Answers);
            Assert.False(succeeded);
            Assert.Contains(why, message, StringComparison.Ordinal);
            pair.Run();
            Assert.False(node.Stored[0].Disconnected);
        }
    }

    [Fact]
    public void Changes_of_role_wait_for_the_end_of_a_disconnect()
    {
        ManualPair pair = ManualPair.Serving();
        pair.Stop(pair.B, "superblock");
        pair.A.Replica.Disconnect(pair.A.Answer);
        pair.Run();
        pair.A.Answers.Clear();
        pair.A.Replica.Demote(pair.A.Answer);
        pair.A.Replica.HandOver(pair.A.Answer);
        pair.A.Replica.Detach(pair.A.Answer);
        pair.A.Replica.Disconnect(pair.A.Answer);
        Assert.All(pair.A.Answers, answer => Assert.False(answer.Succeeded));
        pair.Go(pair.B, "superblock");
        Assert.True(pair.A.Stored[0].Disconnected);
    }

    [Fact]
    public void Connect_says_which_node_it_is_for()
    {
        ManualPair pair = ManualPair.Serving();
        pair.A.Answers.Clear();
        pair.A.Replica.Connect(pair.A.Answer);
        Assert.Equal((true, "n1 was not disconnected"), pair.A.Answers[^1]);
        pair.B.Replica.Disconnect(pair.B.Answer);
        pair.Run();
        pair.B.Replica.Disconnect(pair.B.Answer);
        Assert.Equal((true, "n2 was disconnected before"), pair.B.Answers[^1]);
    }

    /// <summary>
    /// A node dies after each step of each of these commands: what the Primary was told is true, and once connected again
    /// both copies are equal and nothing acknowledged is missing.
    /// </summary>
    [Theory]
    [InlineData("disconnect", false)]
    [InlineData("disconnect", true)]
    [InlineData("invalidate", false)]
    public void A_crash_at_any_step_leaves_a_safe_state(string command, bool onPrimary)
    {
        for (int victim = 0; victim < 2; victim++)
        {
            int steps = 0;
            while (CrashAfter(command, onPrimary, steps, victim == 0) == steps)
            {
                steps++;
            }

            Assert.True(steps > 5, $"{steps} steps");
        }
    }

    private static int CrashAfter(string command, bool onPrimary, int steps, bool primaryDies)
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: false);
        ManualNode node = onPrimary ? pair.A : pair.B;
        ManualNode victim = primaryDies ? pair.A : pair.B;
        pair.A.Write(1, 10);
        pair.A.Submit(Core.Volumes.VolumeOperation.Flush);
        pair.Run();
        if (command == "invalidate")
        {
            node.Replica.Invalidate(node.Answer);
        }
        else
        {
            node.Replica.Disconnect(node.Answer);
        }

        ManualRequest write = pair.A.Submit(Core.Volumes.VolumeOperation.Write, 2, 20);
        int done = 0;
        for (; done < steps && pair.Eligible() is { Count: > 0 } eligible; done++)
        {
            pair.Complete(eligible[0]);
            Require(pair);
        }

        pair.DropSends();
        victim.Crash(new Random(steps), powerCut: true);
        pair.LinkDown();
        Require(pair);
        int acknowledged = write.Result == 0 && !primaryDies ? 20 : 0;
        for (int round = 0; round < 4; round++)
        {
            foreach (ManualNode each in new[] { pair.A, pair.B })
            {
                each.Replica.Connect(each.Answer);
            }

            pair.Run();
            if (pair.A.Replica.Phase == LinkPhase.Down)
            {
                pair.LinkUp();
            }
        }

        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.Equal(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.Equal(10, pair.A.Disk[1]);
        Assert.True(pair.A.Disk[2] >= acknowledged, $"{command} {steps}: {pair.A.Disk[2]}");
        return done;
    }

    /// <summary>
    /// Who holds the proof that its peer is Outdated has a peer that stored it for that session, and no Primary is
    /// disconnected without it: it would begin as one that may not serve.
    /// </summary>
    private static void Require(ManualPair pair)
    {
        Assert.False(pair.A.Stored[0] is { Disconnected: true, WasPrimary: true, Proof.Kind: ProofKind.None });
        foreach (ManualNode node in new[] { pair.A, pair.B })
        {
            if (node.Stored[0] is { Proof.Kind: ProofKind.PeerOutdated } holder && holder.Proof.Session == holder.Session)
            {
                Assert.True(node.Peer.Stored[0].DiskState <= DiskState.Outdated, $"{node.Peer.Stored[0].DiskState}");
            }
        }
    }
}
