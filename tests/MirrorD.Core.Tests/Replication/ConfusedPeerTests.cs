using MirrorD.Core.Metadata;
using MirrorD.Core.Replication;
using MirrorD.Core.Volumes;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;
using MirrorD.Formats.Peer;

namespace MirrorD.Core.Tests.Replication;

/// <summary>
/// An authenticated peer that says the wrong thing at the wrong time: the link is closed with a protocol
/// error, nothing is stored, and the process lives on.
/// </summary>
public class ConfusedPeerTests
{
    private static PeerMessage.Commit Commit(ulong current, int history = 0) => new(
        new Guid(1, 2, 3, new byte[8]), new Generation(current),
        [.. Enumerable.Range(1, history).Select(i => new Generation((ulong)i))], 1, 5);

    private static void AssertRefused(ManualPair pair, ManualNode node)
    {
        Assert.Contains(node.Events, e => e.Contains("close protocol error"));
        Assert.Equal(LinkPhase.Down, node.Replica.Phase);
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joined, node.Replica.Phase);
    }

    /// <summary>A pair of which B is the target of a resync that does not go on.</summary>
    private static ManualPair Syncing()
    {
        ManualPair pair = ManualPair.Serving(continueOnPeerLoss: true);
        pair.LinkDown();
        Assert.Equal(0, pair.A.Write(1, 1).Result);
        pair.Stop(pair.A, "copy");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Source, pair.A.Replica.Phase);
        Assert.Equal(LinkPhase.Target, pair.B.Replica.Phase);
        return pair;
    }

    [Fact]
    public void A_target_does_not_believe_that_it_is_joined_before_it_stored_the_commit()
    {
        ManualPair pair = Syncing();
        pair.A.Say(new PeerMessage.Finished());
        Assert.NotEqual(LinkPhase.Joined, pair.B.Replica.Phase);
        Assert.Equal(DiskState.Inconsistent, pair.B.Stored[0].DiskState);
        pair.Go(pair.A, "copy");
        AssertRefused(pair, pair.B);
    }

    [Fact]
    public void An_inconsistent_copy_does_not_take_the_role_that_is_handed_to_it()
    {
        ManualPair pair = Syncing();
        pair.A.SendMessage(new PeerMessage.Finished());
        pair.A.SendMessage(new PeerMessage.HandOver(9));
        pair.Go(pair.A, "copy");
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
    }

    [Fact]
    public void A_second_commit_is_refused()
    {
        ManualPair pair = Syncing();
        ulong current = pair.A.Replica.State.Current.Value;
        pair.Stop(pair.B, "log");
        pair.A.SendMessage(Commit(current));
        pair.A.SendMessage(Commit(current));
        pair.Run();
        pair.Stop(pair.A, "nothing");
        pair.Go(pair.B, "log");
        pair.Go(pair.A, "copy");
        AssertRefused(pair, pair.B);
    }

    [Fact]
    public void A_commit_without_generation_is_refused()
    {
        ManualPair pair = Syncing();
        pair.A.Say(Commit(0));
        Assert.False(pair.B.Stored[0].Current.IsNone);
        pair.Go(pair.A, "copy");
        AssertRefused(pair, pair.B);
    }

    [Fact]
    public void A_source_does_not_believe_in_a_commit_that_it_has_not_sent()
    {
        ManualPair pair = Syncing();
        pair.Stop(pair.A, "superblock");
        pair.Go(pair.A, "copy");
        Assert.Equal(1, pair.Waiting(pair.A, "superblock"));
        pair.B.Say(new PeerMessage.Committed());
        pair.Go(pair.A, "superblock");
        AssertRefused(pair, pair.A);
    }

    [Fact]
    public void A_target_that_is_ready_twice_is_refused()
    {
        var pair = new ManualPair();
        pair.Stop(pair.A, "superblock");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Joining, pair.A.Replica.Phase);
        pair.B.Say(new PeerMessage.TargetReady());
        pair.Go(pair.A, "superblock");
        AssertRefused(pair, pair.A);
    }

    [Fact]
    public void Data_before_the_source_is_ready_is_refused()
    {
        var pair = new ManualPair();
        pair.Stop(pair.A, "superblock");
        pair.LinkUp();
        Assert.Equal(LinkPhase.Target, pair.B.Replica.Phase);
        Assert.NotNull(pair.B.Replica.IncomingArrived(new IncomingWrite
        {
            Operation = VolumeOperation.Zero,
            LengthBytes = 4096,
            Sequence = 1,
        }));
        pair.Go(pair.A, "superblock");
    }

    [Fact]
    public void A_joined_standby_takes_no_data_from_another_standby()
    {
        var pair = new ManualPair();
        pair.LinkUp();
        Assert.NotNull(pair.B.Replica.IncomingArrived(new IncomingWrite
        {
            Operation = VolumeOperation.Zero,
            LengthBytes = 4096,
            Sequence = 1,
        }));
    }

    [Fact]
    public void A_primary_does_not_go_on_beside_a_peer_that_says_it_is_primary_too()
    {
        ManualPair pair = ManualPair.Serving();
        pair.B.Say(new PeerMessage.RoleNotice(Role.Primary, 9));
        AssertRefused(pair, pair.A);
    }

    [Fact]
    public void A_role_is_not_handed_over_by_somebody_who_does_not_have_it()
    {
        var pair = new ManualPair();
        pair.LinkUp();
        pair.A.Say(new PeerMessage.HandOver(9));
        Assert.Equal(Role.Standby, pair.B.Replica.Role);
        AssertRefused(pair, pair.B);
    }

    [Fact]
    public void A_range_whose_end_overflows_is_refused()
    {
        ManualPair pair = ManualPair.Serving();
        foreach ((long offset, long length) in new[]
            { (long.MaxValue & ~511L, 512L), (ManualNode.VolumeBytes, 512L), (-512L, 1024L),
            (0L, 0L), (0L, -512L), (256L, 512L) })
        {
            Assert.NotNull(pair.B.Replica.IncomingArrived(new IncomingWrite
            {
                Operation = VolumeOperation.Zero,
                Offset = offset,
                LengthBytes = length,
                Sequence = 1,
            }));
        }
    }

    [Fact]
    public void Nothing_that_a_peer_may_say_in_any_phase_ends_the_process()
    {
        foreach (bool syncing in new[] { false, true })
        {
            foreach (PeerMessage first in All())
            {
                foreach (PeerMessage second in All())
                {
                    foreach (bool fromPrimary in new[] { false, true })
                    {
                        ManualPair pair = syncing ? Syncing() : ManualPair.Serving();
                        ManualNode liar = fromPrimary ? pair.A : pair.B;
                        pair.Stop(liar.Peer, "superblock");
                        liar.SendMessage(first);
                        liar.SendMessage(second);
                        pair.Run();
                        pair.Go(liar.Peer, "superblock");
                        pair.Go(pair.A, "copy");
                        Assert.NotEqual(
                            (Role.Primary, DiskState.Inconsistent),
                            (liar.Peer.Replica.Role, liar.Peer.Replica.State.DiskState));
                    }
                }
            }
        }
    }

    private static IEnumerable<PeerMessage> All() =>
    [
        new PeerMessage.Facts(new byte[96]),
        new PeerMessage.Decision(37, 1, 2),
        new PeerMessage.Begin(true, new Generation(77)),
        new PeerMessage.DirtyPage(0, 0, new byte[DirtyMap.PageBytes]),
        new PeerMessage.DirtyPage(1, int.MaxValue, new byte[3]),
        new PeerMessage.TargetReady(),
        new PeerMessage.SourceReady(-1),
        Commit(78, 255),
        new PeerMessage.Committed(),
        new PeerMessage.Finished(),
        new PeerMessage.RoleNotice(Role.Primary, ulong.MaxValue),
        new PeerMessage.RoleNotice(Role.Standby, 1),
        new PeerMessage.RoleClaim(false),
        new PeerMessage.RoleAnswer(true, ""),
        new PeerMessage.RequestRole(),
        new PeerMessage.HandOver(ulong.MaxValue),
        new PeerMessage.HandOverDone(),
        new PeerMessage.Goodbye(true, new SessionId(1), new Generation(1)),
        new PeerMessage.LeaveAsk(),
        new PeerMessage.LeaveRefused("no"),
        new PeerMessage.InvalidateAsk(true),
        new PeerMessage.InvalidateAnswer(""),
    ];
}
