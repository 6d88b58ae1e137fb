using MirrorD.Core.Handshake;
using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Tests.Replication;

/// <summary>A volume grows after its disks were enlarged.</summary>
public sealed class GrowthTests
{
    private const long Grown = ManualNode.EnlargedBytes;
    private const int FirstNew = (int)(ManualNode.VolumeBytes / 4096);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_nodes_grow_and_the_new_area_is_made_equal(bool fromPrimary)
    {
        ManualPair pair = Enlarged();
        ManualNode asked = fromPrimary ? pair.A : pair.B;
        Grow(pair, asked);

        Assert.True(asked.Answers[^1].Succeeded, asked.Answers[^1].Message);
        RequireGrown(pair);
        Assert.Equal(Role.Primary, pair.A.Replica.Role);
        Assert.Equal(0, pair.A.Write(FirstNew + 3, 77).Result);
        Assert.Equal((77, 77), (pair.A.Disk[FirstNew + 3], pair.B.Disk[FirstNew + 3]));
        Assert.True(pair.A.Growths > 0);
    }

    [Fact]
    public void Old_data_stays_and_is_not_copied_again()
    {
        ManualPair pair = Enlarged();
        pair.A.Write(5, 50);
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        pair.B.IsConnected = pair.A.IsConnected = false;
        pair.LinkUp();
        Assert.Equal((50, 50), (pair.A.Disk[5], pair.B.Disk[5]));
        Assert.Equal(HandshakeAction.BitmapSync, pair.A.Replica.LastDecision?.Action);
    }

    [Fact]
    public void Before_both_have_stored_it_clients_have_the_old_size()
    {
        ManualPair pair = Enlarged();
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        pair.Stop(pair.B, "superblock");
        pair.LinkUp();
        Assert.Equal(ManualNode.VolumeBytes, pair.A.Replica.ServedBytes(0));
        Assert.Equal(0, pair.A.Growths);
        pair.Go(pair.B, "superblock");
        Assert.Equal(Grown, pair.A.Replica.ServedBytes(0));
    }

    [Fact]
    public void The_smaller_disk_counts()
    {
        ManualPair pair = Enlarged();
        pair.B.Room = Grown - (1 << 20);
        Grow(pair, pair.A);
        Assert.Equal(pair.B.Room, pair.A.Stored[0].DataBytes);
        Assert.Equal(pair.B.Room, pair.B.Stored[0].DataBytes);
    }

    [Fact]
    public void A_smaller_size_than_possible_can_be_chosen()
    {
        ManualPair pair = Enlarged();
        pair.A.Replica.Grow(0, Grown - 4096, pair.A.Answer);
        pair.Run();
        pair.LinkUp();
        Assert.True(pair.A.Answers[^1].Succeeded, pair.A.Answers[^1].Message);
        Assert.Equal((Grown - 4096, Grown - 4096), (pair.A.Stored[0].DataBytes, pair.B.Stored[0].DataBytes));
    }

    [Theory]
    [InlineData(ManualNode.VolumeBytes - 4096, "never shrinks")]
    [InlineData(ManualNode.VolumeBytes, "already")]
    [InlineData(Grown + 4096, "room for")]
    [InlineData(Grown - 1, "multiple of 4096")]
    public void A_size_that_makes_no_sense_is_refused_with_the_reason(long size, string expected)
    {
        ManualPair pair = Enlarged();
        pair.A.Replica.Grow(null, size, pair.A.Answer);
        pair.Run();
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Contains(expected, pair.A.Answers[^1].Message, StringComparison.Ordinal);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
    }

    [Fact]
    public void Without_room_on_the_other_node_nothing_is_stored()
    {
        ManualPair pair = Enlarged();
        pair.B.Room = ManualNode.VolumeBytes;
        ulong before = pair.B.Stored[0].Sequence;
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Contains("on n2", pair.A.Answers[^1].Message, StringComparison.Ordinal);
        Assert.Equal(before, pair.B.Stored[0].Sequence);
        Assert.Equal(LinkPhase.Joined, pair.A.Replica.Phase);
        pair.A.Room = ManualNode.VolumeBytes;
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        Assert.Contains("on n1", pair.A.Answers[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pair_that_is_not_joined_does_not_grow()
    {
        ManualPair pair = Enlarged();
        pair.LinkDown();
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Contains("not joined", pair.A.Answers[^1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_that_does_not_come_back_ends_the_command()
    {
        ManualPair pair = Enlarged();
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        pair.Tick(31_000_000_000);
        Assert.False(pair.A.Answers[^1].Succeeded);
        pair.LinkUp();
        Assert.Equal(ManualNode.VolumeBytes, pair.A.Stored[0].DataBytes);
    }

    [Fact]
    public void A_link_that_is_lost_while_room_is_asked_for_ends_the_command()
    {
        ManualPair pair = Enlarged();
        pair.Stop(pair.B, "room");
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        pair.LinkDown();
        Assert.Contains("nothing was changed", pair.A.Answers[^1].Message, StringComparison.Ordinal);
        pair.Go(pair.B, "room");
        pair.LinkUp();
        Grow(pair, pair.A);
        RequireGrown(pair);
    }

    [Fact]
    public void A_node_that_went_on_alone_with_the_new_size_brings_the_other_one_to_it()
    {
        ManualPair pair = Enlarged(continueOnPeerLoss: true);
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        pair.Stop(pair.B, "superblock");
        pair.LinkUp();
        pair.TakeAll(pair.B);
        pair.B.Crash(new Random(3), powerCut: false);
        pair.LinkDown();
        Assert.Equal((Grown, ManualNode.VolumeBytes), (pair.A.Stored[0].DataBytes, pair.B.Stored[0].DataBytes));
        pair.A.Write(7, 70);
        pair.Go(pair.B, "superblock");
        pair.LinkUp();
        RequireGrown(pair);
        Assert.Equal(70, pair.B.Disk[7]);
    }

    /// <summary>
    /// At every single step of a growth one node dies, or both, or the link: what is left joins again, with one size, equal
    /// copies and all data, and the command can be given again.
    /// </summary>
    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    [InlineData(false, false, false)]
    public void A_growth_that_is_cut_anywhere_is_made_up_for(bool killsA, bool killsB, bool powerCut)
    {
        bool wasDone = false;
        for (int cut = 0; !wasDone; cut++)
        {
            for (int seed = 0; seed < 3; seed++)
            {
                ManualPair pair = Enlarged();
                pair.A.Write(9, 90);
                pair.A.Submit(VolumeOperation.Flush);
                pair.Run();
                pair.A.Replica.Grow(null, null, pair.A.Answer);
                wasDone = !Steps(pair, cut);
                var random = new Random((cut * 10) + seed);
                if (killsA)
                {
                    pair.A.Crash(random, powerCut);
                }

                if (killsB)
                {
                    pair.B.Crash(random, powerCut);
                }

                pair.LinkDown();
                for (int tries = 0; tries < 3 && pair.A.Replica.Phase != LinkPhase.Joined; tries++)
                {
                    // A growth that goes on closes the link once more.
                    pair.LinkUp();
                }

                Assert.Equal((LinkPhase.Joined, LinkPhase.Joined), (pair.A.Replica.Phase, pair.B.Replica.Phase));
                Assert.Equal(pair.A.Stored[0].DataBytes, pair.B.Stored[0].DataBytes);
                if (pair.A.Stored[0].DataBytes == ManualNode.VolumeBytes)
                {
                    Grow(pair, pair.A);
                }

                RequireGrown(pair);
                Assert.Equal(90, pair.A.Disk[9]);
            }
        }
    }

    [Fact]
    public void A_late_answer_to_an_ask_that_was_given_up_is_not_taken_for_the_present_one()
    {
        ManualPair pair = Enlarged();
        pair.Stop(pair.B, "room");
        pair.A.Replica.Grow(null, null, pair.A.Answer);
        pair.Run();
        pair.Tick(31_000_000_000);
        Assert.False(pair.A.Answers[^1].Succeeded);
        pair.A.Replica.Grow(0, Grown - 8192, pair.A.Answer);
        pair.Go(pair.B, "room");
        pair.LinkUp();
        Assert.Equal((Grown - 8192, Grown - 8192), (pair.A.Stored[0].DataBytes, pair.B.Stored[0].DataBytes));
    }

    [Theory]
    [InlineData(true, Grown - 4096)]
    [InlineData(true, Grown - 12288)]
    [InlineData(false, Grown - 1)]
    public void An_answer_that_was_not_asked_for_ends_the_link_and_grows_nothing(bool isExact, long answered)
    {
        ManualPair pair = Enlarged();
        pair.Stop(pair.B, "room");
        pair.A.Replica.Grow(0, isExact ? Grown - 8192 : null, pair.A.Answer);
        pair.Run();
        pair.B.Say(new PeerMessage.GrowAnswer(1, [answered], ""));
        Assert.Equal(0, pair.Waiting(pair.A, "room"));
        Assert.NotEqual(LinkPhase.Joined, pair.A.Replica.Phase);
        Assert.False(pair.A.Answers[^1].Succeeded);
        Assert.Equal(ManualNode.VolumeBytes, pair.A.Stored[0].DataBytes);
    }

    [Fact]
    public void A_growth_that_a_detach_ends_names_the_attach_and_a_size_between_blocks_the_nearest_one()
    {
        ManualPair pair = Enlarged();
        pair.Stop(pair.A, "send");
        pair.B.Replica.Grow(null, null, pair.B.Answer);
        pair.Run();
        pair.B.Replica.Detach(pair.B.Answer);
        pair.Run();
        int growth = pair.B.Answers.FindIndex(a => !a.Succeeded && a.Message == "detached by command");
        Assert.Contains("attach", pair.B.Remedies[growth], StringComparison.Ordinal);
        pair = Enlarged();
        pair.A.Replica.Grow(0, Grown - 8191, pair.A.Answer);
        Assert.Equal($"the nearest size is {Grown - 8192} bytes", pair.A.Remedies[^1]);
        pair.A.Replica.Grow(0, Grown - 1, pair.A.Answer);
        Assert.Equal($"the nearest size is {Grown} bytes", pair.A.Remedies[^1]);
    }

    private static ManualPair Enlarged(bool continueOnPeerLoss = false)
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: continueOnPeerLoss);
        foreach (ManualNode node in new[] { pair.A, pair.B })
        {
            node.Room = Grown;
            for (int block = FirstNew; block < node.Disk.Length; block++)
            {
                node.Disk[block] = node == pair.A ? 1000 + block : 2000 + block;
            }
        }

        return pair;
    }

    private static void Grow(ManualPair pair, ManualNode node)
    {
        node.Replica.Grow(null, null, node.Answer);
        pair.Run();
        pair.LinkUp();
    }

    /// <summary>So many steps, oldest first, with the link up again when it is closed; false when all is done before.</summary>
    private static bool Steps(ManualPair pair, int count)
    {
        bool wasClosed = false;
        for (int i = 0; i < count; i++)
        {
            if (pair.Eligible() is [ManualStep step, ..])
            {
                pair.Complete(step);
            }
            else if (!wasClosed)
            {
                wasClosed = true;
                pair.BeginLink();
            }
            else
            {
                return false;
            }
        }

        return true;
    }

    private static void RequireGrown(ManualPair pair)
    {
        Assert.Equal((LinkPhase.Joined, LinkPhase.Joined), (pair.A.Replica.Phase, pair.B.Replica.Phase));
        Assert.Equal((Grown, Grown), (pair.A.Stored[0].DataBytes, pair.B.Stored[0].DataBytes));
        Assert.Equal((Grown, Grown), (pair.A.Replica.ServedBytes(0), pair.B.Replica.ServedBytes(0)));
        Assert.Equal(pair.A.Disk, pair.B.Disk);
        Assert.Equal(0, pair.A.Replica.DirtyBlocks);
    }
}
