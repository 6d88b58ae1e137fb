using MirrorD.Engine.Control;
using MirrorD.Engine.Tests.Replication;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Link;

/// <summary>Pairs whose handshakes take steps on another thread, and what comes in between.</summary>
public sealed class InterruptedHandshakeTests
{
    private const int Places = 8;
    private const int Waves = 3;

    private SteppedSecurity _ofA = null!;
    private SteppedSecurity _ofB = null!;

    [Fact]
    public void Who_is_pushed_out_in_the_middle_of_a_step_makes_room_for_the_peer_and_disturbs_nothing_later()
    {
        SimulatedPair pair = Pair();
        pair.B.Start();
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        _ofB.Holds = one => _ofB.Begun.IndexOf(one) < Waves * Places;

        // From the peer's own address: others would be closed instead.
        SimulatedLoop loop = pair.World.CreateLoop("a");
        var strangers = new List<LinkClient>();
        for (int wave = 1; wave <= Waves; wave++)
        {
            strangers.AddRange(Enumerable.Range(0, Places).Select(_ => new LinkClient(loop)));
            strangers.TakeLast(Places).ToList().ForEach(one => one.Send("c-1"u8.ToArray()));
            pair.Until("all are in the middle of a step", () => _ofB.Begun.Count(one => one.IsUnderWay) == wave * Places);
        }

        Assert.Equal((Waves - 1) * Places, _ofB.Begun.Count(one => one.IsGivenUp));
        Assert.DoesNotContain(_ofB.Begun, one => one.IsDisposed);

        pair.A.Start();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, 65536, 3);
        foreach (SteppedHandshake held in _ofB.Begun.Where(one => one.IsUnderWay).ToArray())
        {
            held.EndStep();
        }

        pair.Until("all strangers are gone", () => strangers.All(one => one.IsClosed));
        RequireServing(pair);
        Assert.All(_ofB.Begun.Take(Waves * Places), RequireGivenBack);
        Assert.Single(pair.B.Events, e => e.Contains("too many connections authenticate at once"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_link_that_is_reset_in_the_middle_of_a_step_is_made_again_once_the_step_has_ended(int step)
    {
        foreach (bool atConnector in (bool[])[true, false])
        {
            SimulatedPair pair = Pair();
            pair.StartBoth();
            SteppedSecurity held = atConnector ? _ofA : _ofB;
            held.Holds = one => one == held.Begun[0] && one.Steps == step;
            pair.Until("the step is under way", () =>
                held.Begun is [{ IsUnderWay: true }, ..] && held.Begun[0].Steps == step);
            pair.World.Network.Reset("a", "b");
            pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
            held.Begun[0].EndStep();
            pair.Join();
            pair.World.RunUntil(() => false, 5 * SimulatedPair.SecondNs);
            RequireGivenBack(held.Begun[0]);
            Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
            RequireServing(pair);
        }
    }

    [Fact]
    public void A_stop_and_a_disconnect_in_the_middle_of_a_step_end_at_once_and_the_step_disturbs_nothing()
    {
        SimulatedPair pair = Pair();
        pair.StartBoth();
        _ofB.Holds = one => one == _ofB.Begun[0];
        pair.Until("the step is under way", () => _ofB.Begun is [{ IsUnderWay: true }, ..]);
        Assert.True(pair.B.Do(new ResourceCommand.Disconnect()).Succeeded);
        Assert.True(_ofB.Begun[0].IsGivenUp);
        _ofB.Begun[0].EndStep();
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        RequireGivenBack(_ofB.Begun[0]);

        Assert.True(pair.B.Do(new ResourceCommand.Connect()).Succeeded);
        pair.Join();
        int begun = _ofB.Begun.Count;
        _ofB.Holds = one => _ofB.Begun.IndexOf(one) == begun;
        pair.World.Network.Reset("a", "b");
        pair.Until("the next step is under way", () => _ofB.Begun.Count > begun && _ofB.Begun[begun].IsUnderWay);
        Assert.True(pair.B.Do(new ResourceCommand.Stop()).Succeeded);
        Assert.True(_ofB.Begun[begun].IsGivenUp);
        _ofB.Begun[begun].EndStep();
        pair.World.RunUntil(() => false, SimulatedPair.SecondNs);
        RequireGivenBack(_ofB.Begun[begun]);
    }

    [Fact]
    public void However_long_steps_take_and_links_live_the_pair_joins_when_that_ends()
    {
        for (ulong seed = 1; seed <= 40; seed++)
        {
            SimulatedPair pair = Pair(seed);
            bool isWild = true;
            pair.StartBoth();
            foreach (SteppedSecurity security in (SteppedSecurity[])[_ofA, _ofB])
            {
                security.Holds = one =>
                {
                    if (!isWild)
                    {
                        return false;
                    }

                    long mostNs = pair.World.Random.Percent(80) ? SimulatedPair.SecondNs / 100 : 5 * SimulatedPair.SecondNs;
                    pair.World.Schedule(pair.World.Random.Below(mostNs), one.EndStep);
                    return true;
                };
            }

            SimulatedLoop[] loops = [LinkClient.Host(pair.World), pair.World.CreateLoop("a")];
            for (int i = 0; i < 60; i++)
            {
                var stranger = new LinkClient(loops[i % loops.Length]);
                stranger.Send(pair.World.Random.Percent(50) ? "c-1c-3"u8.ToArray() : "c-1"u8.ToArray());
                pair.World.RunUntil(() => false, pair.World.Random.Below(SimulatedPair.SecondNs / 2));
                if (pair.World.Random.Percent(30))
                {
                    pair.World.Network.Reset("a", "b");
                }

                if (pair.World.Random.Percent(30))
                {
                    stranger.Close();
                }
            }

            isWild = false;
            pair.World.RunUntil(() => false, 20 * SimulatedPair.SecondNs);
            pair.Join();
            Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
            RequireServing(pair);
            Assert.All(_ofA.Begun.Concat(_ofB.Begun), one => Assert.False(one.IsUnderWay));
        }
    }

    private SimulatedPair Pair(ulong seed = 1)
    {
        var pair = new SimulatedPair(seed);
        pair.A.Security = loop => _ofA = new SteppedSecurity(loop, SimulatedPair.SharedKey);
        pair.B.Security = loop => _ofB = new SteppedSecurity(loop, SimulatedPair.SharedKey);
        return pair;
    }

    private static void RequireServing(SimulatedPair pair)
    {
        Assert.Equal((LinkState.Joined, LinkState.Joined), (pair.A.Link, pair.B.Link));
        pair.A.Write(0, 65536, 4);
        Assert.Equal(pair.A.Peek(0, 65536), pair.B.Peek(0, 65536));
        LinkTests.AllSlotsAreFree(pair);
    }

    private static void RequireGivenBack(SteppedHandshake handshake)
    {
        Assert.True(handshake.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => handshake.Received.Span.Length);
    }
}
