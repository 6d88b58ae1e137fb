using MirrorD.Core.Failover;
using MirrorD.Formats.Watch;

namespace MirrorD.Core.Tests.Failover;

public class PeerRunsTests
{
    private const ulong Own = 100;

    private readonly PeerRuns _runs = new(paths: 2, challenge: Own);

    [Fact]
    public void What_answers_no_challenge_is_heard_and_echoed_to_a_newcomer()
    {
        Assert.Equal(Hearing.Heard, _runs.Judge(0, Heartbeat(instance: 1, sequence: 1)));
        Assert.Equal(0u, _runs.Instance);
        Assert.Equal(0u, _runs.Echo);
        Assert.Equal(ChallengeOf(1), _runs.NewcomerEcho);
        Assert.False(_runs.NeedsChallenge);
    }

    [Fact]
    public void A_run_that_answers_becomes_the_trusted_one_and_is_met_with_a_new_challenge()
    {
        Trust(instance: 1, sequence: 1);
        Assert.Equal(1u, _runs.Instance);
        Assert.Equal(ChallengeOf(1), _runs.Echo);
        Assert.Equal(0u, _runs.NewcomerEcho);
        Assert.NotEqual(Own, _runs.Challenge);
    }

    [Fact]
    public void Nothing_is_judged_between_another_run_and_a_new_challenge()
    {
        _runs.Judge(0, Heartbeat(1, 1, echo: Own));
        Assert.True(_runs.NeedsChallenge);
        Assert.Throws<InvariantViolation>(() => _runs.Judge(0, Heartbeat(1, 2, echo: Own)));
    }

    [Fact]
    public void The_trusted_run_is_heard_only_until_it_echoes_the_new_challenge()
    {
        Trust(1, 1);
        Assert.Equal(Hearing.Heard, _runs.Judge(0, Heartbeat(1, 2, echo: Own)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(1, 3, echo: _runs.Challenge)));
        Assert.False(_runs.NeedsChallenge);
    }

    [Fact]
    public void A_repeated_or_older_heartbeat_of_a_path_is_stale()
    {
        Trust(1, 5);
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Heartbeat(1, 5, echo: _runs.Challenge)));
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Heartbeat(1, 4, echo: _runs.Challenge)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(1, 6, echo: _runs.Challenge)));
    }

    [Fact]
    public void A_slow_path_counts_however_far_behind_it_is_but_its_news_is_old()
    {
        Trust(1, 1);
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(1, 1000, echo: _runs.Challenge)));
        Assert.True(_runs.IsNewest);
        Assert.Equal(Hearing.Fresh, _runs.Judge(1, Heartbeat(1, 7, echo: _runs.Challenge)));
        Assert.False(_runs.IsNewest);
    }

    [Fact]
    public void An_older_datagram_does_not_bring_back_an_older_challenge()
    {
        Trust(1, 10);
        _runs.Judge(0, Heartbeat(1, 20, echo: _runs.Challenge) with { Challenge = 77 });
        _runs.Judge(1, Heartbeat(1, 15, echo: _runs.Challenge) with { Challenge = 66 });
        Assert.Equal(77u, _runs.Echo);
    }

    [Fact]
    public void A_recording_of_an_earlier_run_that_was_trusted_counts_for_nothing()
    {
        ulong asked = _runs.Challenge;
        Trust(1, 1);
        ulong askedThen = _runs.Challenge;
        Trust(2, 1);
        foreach (ulong echo in new[] { asked, askedThen, 0u })
        {
            for (ulong sequence = 1; sequence < 200; sequence++)
            {
                Assert.Equal(Hearing.Stale, _runs.Judge(0, Heartbeat(1, sequence, echo)));
            }
        }

        Assert.Equal(2u, _runs.Instance);
        Assert.Equal(ChallengeOf(2), _runs.Echo);
        Assert.Equal(0u, _runs.NewcomerEcho);
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(2, 300, echo: _runs.Challenge)));
    }

    [Fact]
    public void Recordings_of_two_earlier_runs_in_turn_count_for_nothing()
    {
        Trust(1, 1);
        Trust(2, 1);
        Trust(3, 1);
        for (ulong sequence = 1; sequence < 50; sequence++)
        {
            Assert.Equal(Hearing.Stale, _runs.Judge(0, Heartbeat(1, sequence)));
            Assert.Equal(Hearing.Stale, _runs.Judge(0, Heartbeat(2, sequence)));
        }
    }

    [Fact]
    public void A_run_that_was_never_trusted_cant_come_later_with_what_it_once_echoed()
    {
        _runs.Judge(0, Heartbeat(3, 1));
        ulong asked = _runs.Challenge;
        Trust(1, 1);
        Assert.Equal(Hearing.Heard, _runs.Judge(0, Heartbeat(3, 2, echo: asked)));
        Assert.Equal(1u, _runs.Instance);
    }

    [Fact]
    public void A_new_challenge_makes_what_was_on_its_way_heard_only()
    {
        Trust(1, 1);
        ulong before = _runs.Challenge;
        _runs.Renew(555);
        Assert.Equal(Hearing.Heard, _runs.Judge(0, Heartbeat(1, 2, echo: before)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(1, 3, echo: 555)));
        Assert.False(_runs.NeedsChallenge);
    }

    [Fact]
    public void A_newcomer_is_answered_beside_the_trusted_run_and_takes_its_place_once_it_answers()
    {
        Trust(1, 50);
        Assert.Equal(Hearing.Heard, _runs.Judge(0, Heartbeat(2, 1)));
        Assert.Equal((ChallengeOf(1), ChallengeOf(2)), (_runs.Echo, _runs.NewcomerEcho));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(1, 51, echo: _runs.Challenge)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(2, 2) with { NewcomerEcho = _runs.Challenge }));
        Assert.Equal(2u, _runs.Instance);
    }

    [Fact]
    public void What_a_newcomer_repeats_while_it_takes_over_is_stale()
    {
        _runs.Judge(0, Heartbeat(1, 8));
        ulong asked = _runs.Challenge;
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Heartbeat(1, 8, echo: asked)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(1, 9, echo: asked)));
    }

    [Fact]
    public void A_control_message_counts_once_over_whichever_path_and_only_when_fresh()
    {
        Trust(1, 1);
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Control(1, 9, echo: Own)));
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Control(1, 9, echo: 0)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Control(1, 9, echo: _runs.Challenge)));
        Assert.Equal(Hearing.Stale, _runs.Judge(1, Control(1, 9, echo: _runs.Challenge)));
        Assert.Equal(Hearing.Fresh, _runs.Judge(1, Control(1, 10, echo: _runs.Challenge)));
    }

    [Fact]
    public void Control_messages_that_overtake_each_other_all_count_once()
    {
        Trust(1, 1);
        var random = new Random(3);
        ulong[] order = [.. Enumerable.Range(0, 400).Select(i => (ulong)(2 + i))
            .OrderBy(sequence => (int)sequence + random.Next(30))];
        int fresh = 0;
        foreach (ulong sequence in order.SelectMany(sequence => new[] { sequence, sequence }))
        {
            fresh += _runs.Judge(0, Control(1, sequence, _runs.Challenge)) == Hearing.Fresh ? 1 : 0;
        }

        Assert.Equal(order.Length, fresh);
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Control(1, 2, _runs.Challenge)));
    }

    [Fact]
    public void A_control_message_of_a_run_that_proved_nothing_is_not_even_a_newcomers()
    {
        Assert.Equal(Hearing.Stale, _runs.Judge(0, Control(4, 1, echo: 0)));
        Assert.Equal(0u, _runs.NewcomerEcho);
    }

    [Fact]
    public void Only_what_is_said_to_this_run_says_that_it_is_heard()
    {
        Trust(1, 1);
        WatchHeader header = Heartbeat(1, 2) with { HearsReceiver = true, NewcomerEcho = _runs.Challenge };
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, header));
        Assert.False(_runs.PeerHears);
        _runs.Judge(0, header with { Sequence = 3, Echo = _runs.Challenge });
        Assert.True(_runs.PeerHears);
        _runs.Judge(0, header with { Sequence = 4, Echo = _runs.Challenge, HearsReceiver = false });
        Assert.False(_runs.PeerHears);
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(1, 0, 1)]
    [InlineData(1, 1, 0)]
    public void A_datagram_without_instance_challenge_or_number_counts_for_nothing(
        ulong instance, ulong challenge, ulong sequence) => Assert.Equal(
            Hearing.Stale,
            _runs.Judge(0, Heartbeat(instance, sequence, Own) with { Challenge = challenge }));

    private void Trust(ulong instance, ulong sequence)
    {
        Assert.Equal(Hearing.Fresh, _runs.Judge(0, Heartbeat(instance, sequence, echo: _runs.Challenge)));
        Assert.True(_runs.NeedsChallenge);
        _runs.Renew(_runs.Challenge + 1);
    }

    private static ulong ChallengeOf(ulong instance) => 1000 + instance;

    private static WatchHeader Heartbeat(ulong instance, ulong sequence, ulong echo = 0) => new()
    {
        Type = WatchDatagramType.Heartbeat,
        Instance = instance,
        Challenge = ChallengeOf(instance),
        Echo = echo,
        Sequence = sequence,
    };

    private static WatchHeader Control(ulong instance, ulong sequence, ulong echo) =>
        Heartbeat(instance, sequence, echo) with { Type = WatchDatagramType.Control };
}
