using MirrorD.Core.Failover;
using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Metadata;

namespace MirrorD.Engine.Tests.Replication;

public class PairTests
{
    private static SimulatedPair Joined(bool arbiter = false, PeerLoss onPeerLoss = PeerLoss.Freeze, int volumes = 1)
    {
        var pair = new SimulatedPair(hasArbiter: arbiter, onPeerLoss: onPeerLoss, volumes: volumes);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        return pair;
    }

    [Fact]
    public void Two_empty_copies_join_without_moving_data_and_a_write_is_on_both_before_it_completes()
    {
        SimulatedPair pair = Joined();
        pair.A.Write(8192, 4096, 0x5a);
        Assert.Equal(pair.A.Peek(8192, 4096), pair.B.Peek(8192, 4096));
        Assert.All(pair.B.Peek(8192, 4096), b => Assert.Equal(0x5a, b));
    }

    [Fact]
    public void The_named_source_is_copied_as_a_whole()
    {
        var pair = new SimulatedPair(aIs: CreationSource.Self, bIs: CreationSource.Peer);
        pair.A.Start();
        pair.Until("loaded", () => pair.A.Resource.Status.Volumes.Count > 0);
        Assert.True(pair.A.Do(new ResourceCommand.Promote(true)).Succeeded);
        pair.A.Write(1 << 20, 65536, 7);
        pair.B.Start();
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
        Assert.Equal(DiskState.UpToDate, pair.B.Resource.Status.DiskState);
    }

    [Fact]
    public void Without_peer_and_proof_writes_are_held_and_go_on_when_the_peer_is_back()
    {
        SimulatedPair pair = Joined();
        pair.B.Kill();
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, 4096, 9);
        pair.Until("frozen", () => pair.A.Resource.Status.HoldUp?.State == "FrozenNoProof");
        pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
        Assert.Null(write.Error);
        pair.B.Start();
        pair.Until("write completes", () => write.Error == 0);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
    }

    [Fact]
    public void With_the_operators_choice_the_primary_goes_on_alone_and_only_what_changed_is_copied_later()
    {
        SimulatedPair pair = Joined(onPeerLoss: PeerLoss.Continue);
        pair.A.Write(0, 65536, 1);
        pair.A.Flush();
        pair.B.Kill();
        pair.A.Write(1 << 20, 8192, 2);
        pair.A.Flush();
        pair.B.Start();
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
        Assert.Contains(pair.A.Events, e => e.Contains("resync-done r: 8192 bytes sent"));
    }

    [Fact]
    public void The_arbiter_lets_one_node_go_on_and_the_returned_old_primary_becomes_standby()
    {
        SimulatedPair pair = Joined(arbiter: true);
        pair.A.Write(0, 65536, 1);
        pair.A.Kill();
        pair.Until("link lost", () => pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.B.Write(4 << 20, 4096, 3);
        pair.A.Start();
        pair.Join();
        Assert.Equal(Role.Standby, pair.A.Role);
        Assert.Equal(Role.Primary, pair.B.Role);
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
        Assert.All(pair.A.Peek(4 << 20, 4096), b => Assert.Equal(3, b));
    }

    [Fact]
    public void The_standby_takes_over_only_when_the_old_primary_has_noticed_the_loss_as_well()
    {
        var pair = new SimulatedPair(hasArbiter: true);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.ReachesArbiter = false;

        // b stops hearing a; a hears b for almost as long as b waits, and so misses it much later.
        pair.World.Network.CutOneWay("a", "b");
        pair.World.RunUntil(() => false, 1_700_000_000);
        pair.World.Network.Cut("a", "b");
        pair.Until("b misses a", () => pair.B.Link == LinkState.Disconnected);
        Assert.Equal(LinkState.Joined, pair.A.Link);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        Assert.NotEqual(LinkState.Joined, pair.A.Link);
    }

    [Fact]
    public void A_right_lost_to_the_arbiter_is_told_once()
    {
        var pair = new SimulatedPair(hasArbiter: true);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.ReachesArbiter = false;
        pair.World.Network.Cut("a", "b");
        pair.Until("b misses a", () => pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.ReachesArbiter = true;
        pair.Until("a has lost its right", () => pair.A.Role == Role.Standby && !pair.A.HoldsAddresses);
        pair.Until("it is told", () => pair.A.Events.Exists(e => e.Contains(" right-lost ", StringComparison.Ordinal)));
        pair.World.RunUntil(() => false, 3 * SimulatedPair.SecondNs);
        Assert.Single(pair.A.Events, e => e.Contains(" right-lost ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_promotion_that_waited_for_the_old_primary_leaves_nothing_behind_when_the_link_returns()
    {
        var pair = new SimulatedPair(hasArbiter: true);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.ReachesArbiter = false;
        pair.World.Network.Cut("a", "b");
        pair.Until("both miss the peer", () => pair.A.Link == LinkState.Disconnected
            && pair.B.Link == LinkState.Disconnected);
        CommandOutcome? promotion = null;
        pair.B.Resource.Command(new ResourceCommand.Promote(false), o => promotion = o);
        pair.World.Network.Mend("a", "b");
        pair.Join();
        pair.Until("the promotion to end", () => promotion is not null);
        Assert.False(promotion!.Succeeded);

        // Asked within the time that the promotion would have waited, and answered after it.
        CommandOutcome? request = null;
        pair.A.HooksTakeNs = 5 * SimulatedPair.SecondNs;
        pair.B.Resource.Command(new ResourceCommand.RequestRole(), o => request = o);
        pair.World.RunUntil(() => request is not null, 4 * SimulatedPair.SecondNs);
        Assert.Null(request);
        pair.Until("b is primary", () => request is { Succeeded: true } && pair.B.Role == Role.Primary);
    }

    [Fact]
    public void A_lone_standby_is_not_promoted_without_proof_and_the_refusal_names_the_command()
    {
        SimulatedPair pair = Joined();
        pair.A.Kill();
        pair.Until("link lost", () => pair.B.Link == LinkState.Disconnected);
        CommandOutcome refused = pair.B.Do(new ResourceCommand.Promote(false));
        Assert.False(refused.Succeeded);
        Assert.Contains("mirrorctl promote r --force", refused.Remedy);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(true)).Succeeded);
        Assert.Equal(Role.Primary, pair.B.Role);
    }

    [Fact]
    public void A_hand_over_moves_the_role_without_losing_a_write()
    {
        SimulatedPair pair = Joined();
        pair.A.Write(0, 131072, 4);
        Assert.True(pair.A.Do(new ResourceCommand.HandOver()).Succeeded);
        Assert.Equal(Role.Standby, pair.A.Role);
        pair.Until("b is primary", () => pair.B.Role == Role.Primary);
        pair.B.Write(131072, 4096, 5);
        Assert.Equal(pair.A.Peek(0, 262144), pair.B.Peek(0, 262144));
    }

    [Fact]
    public void A_refused_request_for_the_role_is_answered_with_the_reason_and_blocks_nothing()
    {
        SimulatedPair pair = Joined();
        pair.Until("b knows", () => pair.B.Resource.Status.PeerRole == Role.Primary);
        pair.A.Hooks = step => step == HookStep.PreRelease ? "the pre-release hook failed" : null;
        CommandOutcome outcome = pair.B.Do(new ResourceCommand.RequestRole());
        Assert.False(outcome.Succeeded);
        Assert.Contains("the pre-release hook failed", outcome.Message);
        pair.A.Hooks = _ => null;
        Assert.True(pair.A.Do(new ResourceCommand.HandOver()).Succeeded);
        pair.Until("b is primary", () => pair.B.Role == Role.Primary);
    }

    [Fact]
    public void A_primary_whose_hooks_still_run_after_its_stop_is_not_stuck()
    {
        SimulatedPair pair = Joined();
        long lastTickNs = pair.A.Resource.LastTickNs;
        Assert.NotEqual(0, lastTickNs);
        pair.A.HooksTakeNs = 20 * SimulatedPair.SecondNs;
        CommandOutcome? stopped = null;
        pair.A.Resource.Command(new ResourceCommand.Stop(), o => stopped = o);
        pair.Until("the last hook to run", () => pair.A.Resource.Status.Step?.Name == "running the post-release hooks");
        pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
        Assert.Null(stopped);
        Assert.Equal(0, pair.A.Resource.LastTickNs);
        pair.Until("the stop to end", () => stopped is not null);
    }

    [Fact]
    public void A_standby_that_stops_as_planned_lets_the_primary_go_on_without_a_pause()
    {
        SimulatedPair pair = Joined();
        Assert.True(pair.B.Do(new ResourceCommand.Stop()).Succeeded);
        pair.A.Write(0, 4096, 6);
        Assert.Equal(DiskState.Outdated, pair.B.Resource.Status.DiskState);
        pair.B.Kill();
        pair.B.Start();
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 65536), pair.B.Peek(0, 65536));
    }

    [Fact]
    public void A_killed_primary_comes_back_and_only_its_active_extents_are_copied()
    {
        SimulatedPair pair = Joined();
        pair.A.Write(0, 4096, 1);
        pair.A.Kill();
        pair.A.Start();
        pair.Join();
        Assert.Contains(pair.A.Events.Concat(pair.B.Events), e => e.Contains($"resync-started r: {4 << 20} bytes"));
        Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
    }

    [Fact]
    public void A_peer_with_another_secret_is_refused_with_the_cause()
    {
        var pair = new SimulatedPair();
        pair.B.Key = new byte[32];
        pair.StartBoth();
        pair.Until("refusal", () => pair.A.Events.Any(e => e.Contains("proof does not belong")));
        Assert.NotEqual(LinkState.Joined, pair.A.Link);
    }

    [Fact]
    public void A_silently_cut_link_is_noticed_and_both_volumes_go_on_after_it_is_mended()
    {
        SimulatedPair pair = Joined(volumes: 2);
        pair.World.Network.Cut("a", "b");
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, 4096, 9, volume: 1);
        pair.Until("lost", () => pair.A.Link == LinkState.Disconnected);
        Assert.Null(write.Error);
        pair.World.Network.Mend("a", "b");
        pair.Until("write completes", () => write.Error == 0);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 1 << 20, 1), pair.B.Peek(0, 1 << 20, 1));
    }

    [Fact]
    public void An_interrupted_full_sync_goes_on_where_it_was()
    {
        var pair = new SimulatedPair(dataBytes: 256 << 20, aIs: CreationSource.Self, bIs: CreationSource.Peer);
        pair.StartBoth();
        pair.Until("half", () => pair.A.Resource.Status.Resync is { } r && r.RemainingBytes < r.TotalBytes / 2);
        pair.B.Kill();
        pair.Until("lost", () => pair.A.Link == LinkState.Disconnected);
        long missing = pair.A.Resource.Status.Volumes[0].DirtyBytes;
        Assert.InRange(missing, 1, 128 << 20);
        pair.B.Start();
        pair.Join();
        Assert.Equal(pair.A.Peek(0, 1 << 20), pair.B.Peek(0, 1 << 20));
        Assert.Contains(pair.A.Events, e => e.Contains($"resync-started r: {missing} bytes"));
    }

    [Fact]
    public void Random_writes_beyond_the_reach_of_the_activity_log_go_on_and_come_out_equal()
    {
        var pair = new SimulatedPair(dataBytes: 8L << 30);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        var pending = new List<SimulatedPair.Pending>();
        for (int i = 0; i < 2048; i++)
        {
            pending.Add(pair.A.Submit(VolumeOperation.Write, (i * 797L % 2048) * (4 << 20), 4096, (byte)i));
            if (pending.Count == 64)
            {
                pair.Until("batch", () => pending.TrueForAll(p => p.Error == 0), 600);
                pending.Clear();
            }
        }

        pair.A.Flush();
        for (int i = 0; i < 2048; i += 97)
        {
            Assert.Equal(pair.A.Peek(i * (4L << 20), 4096), pair.B.Peek(i * (4L << 20), 4096));
        }
    }

    [Fact]
    public void A_resync_ends_although_a_client_keeps_writing_the_same_blocks()
    {
        SimulatedPair pair = Joined(onPeerLoss: PeerLoss.Continue);
        pair.B.Kill();
        pair.A.Write(0, 131072, 1);
        pair.B.Start();
        int round = 0;
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, 4096, 2);
        pair.Until("joined under writes", () =>
        {
            if (write.Error is not null)
            {
                Assert.Equal(0, write.Error);
                write = pair.A.Submit(VolumeOperation.Write, (++round % 32) * 4096, 4096, (byte)round);
            }

            return pair.A.Link == LinkState.Joined && pair.B.Link == LinkState.Joined;
        });
        pair.Until("last write", () => write.Error is not null);
        Assert.Equal(pair.A.Peek(0, 131072), pair.B.Peek(0, 131072));
    }

    [Fact]
    public void A_forced_promotion_on_both_sides_is_found_as_split_brain_and_moves_no_data()
    {
        SimulatedPair pair = Joined();
        pair.World.Network.Cut("a", "b");
        pair.Until("lost", () => pair.A.Link == LinkState.Disconnected && pair.B.Link == LinkState.Disconnected);
        Assert.True(pair.A.Do(new ResourceCommand.Promote(true)).Succeeded);
        Assert.True(pair.B.Do(new ResourceCommand.Promote(true)).Succeeded);
        pair.A.Write(0, 4096, 1);
        pair.B.Write(0, 4096, 2);
        pair.World.Network.Mend("a", "b");
        pair.Until("split brain", () => pair.A.Resource.Status.HoldUp?.State == "SplitBrain"
            && pair.B.Resource.Status.HoldUp?.State == "SplitBrain");
        Assert.All(pair.A.Peek(0, 4096), b => Assert.Equal(1, b));
        Assert.All(pair.B.Peek(0, 4096), b => Assert.Equal(2, b));
        pair.A.Write(8192, 4096, 3);
    }
}
