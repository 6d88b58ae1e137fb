using MirrorD.Core.Failover;

namespace MirrorD.Core.Tests.Failover;

/// <summary>
/// Two paths, heartbeats each 100 ms, dead after 1000 ms; times in the tests are milliseconds.
/// </summary>
public class PathMonitorTests
{
    private const int D = 0;
    private const int P = 1;
    private const long Ms = 1_000_000;

    private readonly PathMonitor _monitor = new(
        "b", [("dedicated", PathKind.Dedicated), ("production", PathKind.Production)],
        new PathTimes(100 * Ms, 1000 * Ms), Start);

    private readonly List<PathEvent> _events = [];
    private long _now;

    private static long Start => 5_000_000_000;

    private string Kinds => string.Join(' ', _events.Select(e => e.Kind));

    private (PathState, PathState) States => (_monitor.Sights[D].State, _monitor.Sights[P].State);

    [Fact]
    public void Nothing_is_known_at_first_and_lost_after_dead_after()
    {
        Assert.Equal((PathState.Unknown, PathState.Unknown), States);
        Pass(999);
        Assert.Equal((PathState.Unknown, PathState.Unknown), States);
        Assert.False(Picture.AreAllLost);
        Pass(1);
        Assert.Equal((PathState.Lost, PathState.Lost), States);
        Assert.True(Picture.AreAllLost);
        Assert.Equal(Start + (1000 * Ms), _monitor.Sights[D].SinceNs);
        Pass(300);
        Assert.Equal("peer-lost", Kinds);
    }

    [Theory]
    [InlineData(true, true, PathState.Up)]
    [InlineData(true, false, PathState.HeardOnly)]
    [InlineData(false, true, PathState.HeardOnly)]
    [InlineData(false, false, PathState.HeardOnly)]
    public void A_path_is_up_only_when_a_fresh_heartbeat_says_that_the_peer_hears(
        bool isFresh, bool peerHears, PathState expected)
    {
        _monitor.Heard(D, Now, isFresh, peerHears);
        Assert.Equal((expected, PathState.Unknown), States);
        Assert.Equal(isFresh, _monitor.HearsFreshly(D, Now));
        Assert.False(_monitor.HearsFreshly(P, Now));
    }

    [Fact]
    public void The_usual_begin_is_no_event()
    {
        Beat(2000, D, P);
        Assert.Equal((PathState.Up, PathState.Up), States);
        Assert.Empty(_events);
    }

    [Fact]
    public void A_begin_that_is_one_way_for_a_while_is_no_event_and_one_that_stays_so_is()
    {
        for (int i = 0; i < 9; i++)
        {
            _monitor.Heard(D, Now, isFresh: true, peerHears: false);
            Beat(100, P);
        }

        Assert.Equal((PathState.HeardOnly, PathState.Up), States);
        Assert.Empty(_events);
        for (int i = 0; i < 9; i++)
        {
            _monitor.Heard(D, Now, isFresh: true, peerHears: false);
            Beat(100, P);
        }

        Assert.Equal("path-lost", Kinds);
    }

    [Fact]
    public void A_silent_path_is_lost_after_dead_after_and_told_once_with_what_remains()
    {
        Beat(2000, D, P);
        Beat(850, P);
        Assert.Equal((PathState.Up, PathState.Up), States);
        Beat(50, P);
        Assert.Equal((PathState.Lost, PathState.Up), States);
        Assert.Empty(_events);
        Beat(5000, P);
        PathEvent lost = Assert.Single(_events);
        Assert.Equal("path-lost", lost.Kind);
        Assert.Contains("dedicated is lost", lost.Message);
        Assert.Contains("production is up", lost.Message);
        Beat(3000, D, P);
        Assert.Equal("path-lost path-restored", Kinds);
    }

    [Fact]
    public void Both_paths_lost_within_two_intervals_are_one_event()
    {
        Beat(2000, D, P);
        Beat(100, P);
        Pass(5000);
        Assert.Equal("peer-lost", Kinds);
        Assert.DoesNotContain("mirrord seems to be gone", _events[0].Message);
        Beat(3000, D, P);
        Assert.Equal("peer-lost peer-back", Kinds);
    }

    [Fact]
    public void Paths_lost_one_after_the_other_are_told_one_after_the_other()
    {
        Beat(2000, D, P);
        Beat(1500, P);
        Pass(3000);
        Assert.Equal("path-lost peer-lost", Kinds);
        Beat(3000, P);
        Beat(3000, D, P);
        Assert.Equal("path-lost peer-lost peer-back path-restored", Kinds);
        Assert.Contains("dedicated is lost", _events[2].Message);
    }

    [Fact]
    public void A_path_that_flapped_back_before_it_settled_is_not_told()
    {
        Beat(2000, D, P);
        Beat(1050, P);
        Assert.Equal((PathState.Lost, PathState.Up), States);
        Beat(3000, D, P);
        Assert.Empty(_events);
    }

    [Fact]
    public void A_peer_that_is_heard_and_does_not_hear_is_told_once_as_one_way()
    {
        Beat(2000, D, P);
        for (int i = 0; i < 30; i++)
        {
            _monitor.Heard(D, Now, isFresh: true, peerHears: false);
            Assert.Equal(PathState.HeardOnly, States.Item1);
            Beat(100, P);
        }

        Assert.Equal("path-lost", Kinds);
        Assert.Contains("dedicated is one-way", _events[0].Message);
        Assert.Contains("production is up", _events[0].Message);
    }

    [Fact]
    public void Heartbeats_that_answer_nothing_do_not_keep_a_path_up()
    {
        Beat(2000, D, P);
        for (int i = 0; i < 11; i++)
        {
            _monitor.Heard(D, Now, isFresh: false, peerHears: true);
            Beat(100, P);
        }

        Assert.Equal((PathState.HeardOnly, PathState.Up), States);
        Assert.False(_monitor.HearsFreshly(D, Now));
    }

    [Fact]
    public void A_path_heard_again_one_way_after_the_peer_was_lost_is_the_peer_back_and_can_be_lost_again()
    {
        Pass(2000);
        for (int i = 0; i < 10; i++)
        {
            _monitor.Heard(D, Now, isFresh: false, peerHears: false);
            Pass(100);
        }

        Assert.Equal("peer-lost peer-back", Kinds);
        Assert.True(Picture.IsHeard);
        Assert.False(Picture.IsAnyUp);
        Pass(3000);
        Assert.Equal("peer-lost peer-back peer-lost", Kinds);
    }

    [Fact]
    public void A_refusal_shortens_the_wait_of_its_path_to_two_intervals()
    {
        Beat(2000, D, P);
        _monitor.Refused(D, Now);
        Assert.Equal((PathState.Up, PathState.Up), States);
        Beat(50, P);
        Assert.Equal((PathState.Up, PathState.Up), States);
        Beat(50, P);
        Assert.Equal((PathState.Lost, PathState.Up), States);
        Assert.False(_monitor.DaemonIsGone);
    }

    [Fact]
    public void A_refusal_means_nothing_once_a_heartbeat_came()
    {
        Beat(2000, D, P);
        _monitor.Refused(D, Now);
        Beat(100, D, P);
        Beat(850, P);
        Assert.Equal((PathState.Up, PathState.Up), States);
    }

    [Fact]
    public void A_refusal_never_makes_a_path_lost_before_it_was_watched_for_dead_after()
    {
        for (int i = 0; i < 9; i++)
        {
            _monitor.Refused(D, Now);
            _monitor.Refused(P, Now);
            Pass(100);
            Assert.Equal((PathState.Unknown, PathState.Unknown), States);
        }

        Pass(100);
        Assert.Equal((PathState.Lost, PathState.Lost), States);
    }

    [Fact]
    public void When_nothing_is_heard_and_the_host_refuses_its_daemon_is_gone()
    {
        Beat(2000, D, P);
        _monitor.Refused(D, Now);
        _monitor.Refused(P, Now);
        Pass(100);
        Assert.True(_monitor.DaemonIsGone);
        Assert.True(Picture.AreAllLost);
        Assert.True(_monitor.WasHeardLately);
        Pass(300);
        Assert.Equal("peer-lost", Kinds);
        Assert.Contains("its mirrord seems to be gone", _events[0].Message);
        int version = _monitor.Version;
        Pass(3000);
        Assert.False(_monitor.DaemonIsGone);
        Assert.NotEqual(version, _monitor.Version);
        Beat(500, D);
        Assert.False(_monitor.DaemonIsGone);
    }

    [Fact]
    public void It_was_heard_lately_until_dead_after_whatever_is_refused_and_the_end_of_that_is_a_change()
    {
        Assert.False(_monitor.WasHeardLately);
        Beat(2000, D, P);
        Beat(500, P);
        _monitor.Refused(D, Now);
        _monitor.Refused(P, Now);
        Pass(850);
        Assert.True(Picture.AreAllLost);
        Assert.True(_monitor.WasHeardLately);
        int version = _monitor.Version;
        Pass(150);
        Assert.False(_monitor.WasHeardLately);
        Assert.NotEqual(version, _monitor.Version);
        Beat(100, D);
        Assert.True(_monitor.WasHeardLately);
    }

    [Fact]
    public void What_made_a_lost_path_up_before_does_not_make_it_up_again()
    {
        Beat(2000, D, P);
        _monitor.Refused(D, Now);
        Pass(300);
        Assert.Equal(PathState.Lost, States.Item1);
        _monitor.Heard(D, Now, isFresh: false, peerHears: false);
        Assert.Equal(PathState.HeardOnly, States.Item1);
    }

    [Fact]
    public void A_process_that_stood_still_knows_nothing_and_waits_for_dead_after_anew()
    {
        Beat(2000, D, P);
        _now += 60_000 * Ms;
        Assert.True(_monitor.StoodStill(Now));
        Assert.False(_monitor.StoodStill(Now));
        Assert.Equal((PathState.Unknown, PathState.Unknown), States);
        Assert.False(_monitor.HearsFreshly(D, Now));
        Pass(950);
        Assert.Equal((PathState.Unknown, PathState.Unknown), States);
        Assert.Empty(_events);
        Pass(400);
        Assert.Equal((PathState.Lost, PathState.Lost), States);
        Assert.Equal("peer-lost", Kinds);
    }

    [Fact]
    public void A_pause_is_noticed_by_whatever_comes_first_and_is_no_event()
    {
        Beat(2000, D, P);
        _now += 1001 * Ms;
        _monitor.Heard(D, Now, isFresh: false, peerHears: true);
        Assert.Equal((PathState.HeardOnly, PathState.Unknown), States);
        Beat(3000, D, P);
        Assert.Empty(_events);
    }

    [Fact]
    public void Another_run_of_the_peer_has_not_been_heard_yet()
    {
        Beat(500, D, P);
        _monitor.PeerRestarted();
        Assert.False(_monitor.HearsFreshly(D, Now));
        Assert.Equal((PathState.Up, PathState.Up), States);
        Beat(100, D);
        Assert.True(_monitor.HearsFreshly(D, Now));
        Assert.False(_monitor.HearsFreshly(P, Now));
    }

    [Fact]
    public void The_sights_are_replaced_only_when_something_changes()
    {
        Beat(2000, D, P);
        IReadOnlyList<PathSight> sights = _monitor.Sights;
        int version = _monitor.Version;
        Beat(2000, D, P);
        Assert.Same(sights, _monitor.Sights);
        Assert.Equal(version, _monitor.Version);
        Beat(1100, P);
        Assert.NotSame(sights, _monitor.Sights);
        Assert.Equal(version + 1, _monitor.Version);
        Assert.Equal(PathState.Up, sights[D].State);
    }

    [Fact]
    public void A_heartbeat_and_a_tick_allocate_nothing()
    {
        Beat(2000, D, P);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++)
        {
            _now += 50 * Ms;
            _monitor.Heard(D, Now, true, true);
            _monitor.Heard(P, Now, true, true);
            _monitor.Tick(Now);
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // Less than a byte each. A collection for some other test's sake can count the unused rest of this
        // thread's allocation context, up to 8 KiB, as allocated.
        Assert.True(allocated < 20_000, $"{allocated} bytes for 20,000 heartbeats");
    }

    private PathPicture Picture => new(_monitor.Sights, null, _monitor.DaemonIsGone);

    private long Now => Start + _now;

    /// <summary>
    /// Ticks of 50 ms, and heartbeats on these paths each 100 ms: the last is 100 ms ago afterwards.
    /// </summary>
    private void Beat(int durationMs, params int[] paths)
    {
        for (int passed = 0; passed < durationMs; passed += 50)
        {
            foreach (int path in passed % 100 == 0 ? paths : [])
            {
                _monitor.Heard(path, Now, isFresh: true, peerHears: true);
            }

            Pass(50);
        }
    }

    private void Pass(int durationMs)
    {
        for (int passed = 0; passed < durationMs; passed += 50)
        {
            _now += Math.Min(50, durationMs - passed) * Ms;
            if (_monitor.Tick(Now) is { } told)
            {
                _events.Add(told);
            }
        }
    }
}
