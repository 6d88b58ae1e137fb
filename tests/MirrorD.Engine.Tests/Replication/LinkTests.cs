using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats.Peer;
using MirrorD.Io.Simulated;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Strangers at the link's port: closed in time, named once, nobody else disturbed.</summary>
public class LinkTests
{
    private const long TimeLimitNs = 4 * SimulatedPair.SecondNs;

    public static TheoryData<string, string> Strangers() => new()
    {
        { "nothing", "no authentication within the time limit" },
        { "half a hello", "no authentication within the time limit" },
        { "a hello and no proof", "no authentication within the time limit" },
        { "a hello and half a proof", "no authentication within the time limit" },
        { "zeroes", "not a mirrord peer" },
        { "noise", "not a mirrord peer" },
        { "a damaged hello", "damaged hello" },
        { "a hello of later versions", "versions 4 to 4" },
        { "a hello of another resource", "means resource other, not r" },
        { "a hello with control characters", "means resource r?[31m, not r" },
        { "a hello and a wrong proof", "proof does not belong" },
    };

    [Theory]
    [MemberData(nameof(Strangers))]
    public void A_stranger_is_closed_in_time_and_named_and_the_pair_goes_on(string sends, string cause)
    {
        SimulatedPair pair = Joined();
        var stranger = new LinkClient(LinkClient.Host(pair.World));
        stranger.Send(Bytes(sends));
        pair.Until("the stranger is closed", () => stranger.IsClosed);
        Assert.InRange(stranger.LivedNs, 0, TimeLimitNs);
        Assert.Single(pair.B.Events, e => e.Contains("link-problem") && e.Contains(cause));
        ServesAsBefore(pair);
    }

    [Fact]
    public void Nothing_but_a_hello_and_a_proof_is_ever_sent_to_a_stranger()
    {
        SimulatedPair pair = Joined();
        var stranger = new LinkClient(LinkClient.Host(pair.World));
        stranger.Send([.. LinkClient.Hello(), .. new byte[LinkKeys.KeyBytes], .. new byte[1000]]);
        pair.Until("the stranger is closed", () => stranger.IsClosed);
        Assert.Equal(PeerHello.Bytes + LinkKeys.KeyBytes, stranger.Received.Count);
    }

    [Fact]
    public void Whoever_sends_back_what_he_hears_is_no_peer()
    {
        SimulatedPair pair = Joined();
        var mirror = new LinkClient(LinkClient.Host(pair.World));
        int sent = 0;
        mirror.WhenReceived = () =>
        {
            mirror.Send([.. mirror.Received.Skip(sent)]);
            sent = mirror.Received.Count;
        };
        pair.Until("the mirror is closed", () => mirror.IsClosed);
        Assert.Single(pair.B.Events, e => e.Contains("proof does not belong"));
        ServesAsBefore(pair);
    }

    [Fact]
    public void What_was_recorded_from_a_real_peer_opens_no_second_link()
    {
        var pair = new SimulatedPair();
        var proxy = new LinkProxy(pair.World);
        pair.A.ConnectTo = proxy.Endpoint;
        pair.StartBoth();
        pair.Join();
        byte[] recorded = [.. proxy.FromConnector];
        Assert.InRange(recorded.Length, PeerHello.Bytes + LinkKeys.KeyBytes + 1, 60_000);
        var replayer = new LinkClient(LinkClient.Host(pair.World));
        replayer.Send(recorded);
        pair.Until("the replayer is closed", () => replayer.IsClosed);
        Assert.Single(pair.B.Events, e => e.Contains("proof does not belong"));
        Assert.Equal(LinkState.Joined, pair.B.Link);
    }

    [Fact]
    public void The_same_cause_is_told_once_however_many_strangers_come()
    {
        SimulatedPair pair = Joined();
        SimulatedLoop loop = LinkClient.Host(pair.World);
        for (int i = 0; i < 300; i++)
        {
            var stranger = new LinkClient(loop);
            stranger.Send(Bytes(i % 2 == 0 ? "zeroes" : "a hello and a wrong proof"));
            pair.Until("the stranger is closed", () => stranger.IsClosed);
        }

        // The third one is that they come faster than they may.
        Assert.Equal(3, pair.B.Events.Count(e => e.Contains("link-problem")));
        Assert.Single(pair.B.Events, e => e.Contains("too many connections authenticate at once from other addresses"));
        ServesAsBefore(pair);
    }

    [Fact]
    public void However_many_causes_strangers_think_of_few_are_told()
    {
        SimulatedPair pair = Joined();
        SimulatedLoop loop = LinkClient.Host(pair.World);
        for (int i = 0; i < 300; i++)
        {
            var stranger = new LinkClient(loop);
            stranger.Send(LinkClient.Hello($"invented-{i}"));
            pair.Until("the stranger is closed", () => stranger.IsClosed);
        }

        Assert.InRange(pair.B.Events.Count(e => e.Contains("link-problem")), 1, 20);
        ServesAsBefore(pair);
    }

    [Fact]
    public void A_cause_is_told_again_after_the_peer_was_there()
    {
        SimulatedPair pair = Joined();
        SimulatedLoop loop = LinkClient.Host(pair.World);
        for (int round = 1; round <= 2; round++)
        {
            var stranger = new LinkClient(loop);
            stranger.Send(Bytes("zeroes"));
            pair.Until("the stranger is closed", () => stranger.IsClosed);
            Assert.Equal(round, pair.B.Events.Count(e => e.Contains("not a mirrord peer")));
            pair.World.Network.Reset("a", "b");
            pair.Until("the reset was noticed", () => pair.B.Link != LinkState.Joined);
            pair.Join();
        }
    }

    [Fact]
    public void A_crowd_that_says_nothing_is_bounded_and_all_of_it_is_closed_in_time()
    {
        SimulatedPair pair = Joined();
        SimulatedLoop loop = LinkClient.Host(pair.World);
        LinkClient[] crowd = [.. Enumerable.Range(0, 50).Select(_ => new LinkClient(loop))];
        long began = pair.World.NowNs;
        int most = 0;
        pair.Until("everyone is closed", () =>
        {
            // Whoever was let in has been sent a hello.
            most = Math.Max(most, crowd.Count(c => c.Received.Count > 0 && !c.IsClosed));
            return crowd.All(c => c.IsClosed);
        });
        Assert.InRange(most, 1, 16);
        Assert.InRange(pair.World.NowNs - began, 0, TimeLimitNs);
        ServesAsBefore(pair);
    }

    [Fact]
    public void The_real_peer_gets_through_a_crowd_that_comes_back_at_once()
    {
        var pair = new SimulatedPair();
        pair.B.Start();
        SimulatedLoop loop = LinkClient.Host(pair.World);
        int letIn = 0;
        int closed = 0;
        for (int i = 0; i < 60; i++)
        {
            Come();
        }

        pair.Until("the crowd holds all places", () => letIn >= 8 && closed >= 100);
        pair.A.Start();
        pair.Until("joined in spite of the crowd",
            () => pair.A.Link == LinkState.Joined && pair.B.Link == LinkState.Joined, seconds: 2);

        void Come()
        {
            var stranger = new LinkClient(loop);
            stranger.Send(LinkClient.Hello());
            stranger.WhenReceived = () => letIn++;
            stranger.WhenClosed = () =>
            {
                closed++;
                pair.World.Schedule(1_000_000, Come);
            };
        }
    }

    [Fact]
    public void A_crowd_from_elsewhere_pushes_nobody_out_who_comes_from_the_address_of_the_peer()
    {
        var pair = new SimulatedPair();
        pair.B.Start();
        SimulatedLoop loop = LinkClient.Host(pair.World);
        int letIn = 0;
        int closed = 0;
        Come();
        pair.Until("the crowd holds all places", () => letIn >= 8 && closed >= 1);
        var there = new LinkClient(pair.World.CreateLoop("a"));
        pair.Until("it is let in", () => there.Received.Count > 0);
        closed = 0;
        pair.Until("it is closed", () => there.IsClosed);
        Assert.InRange(there.LivedNs, 3 * SimulatedPair.SecondNs, TimeLimitNs);

        // One each second: the others don't reach it.
        Assert.InRange(closed, 2, 20);
        Assert.Single(pair.B.Events, e => e.Contains("too many connections authenticate at once from other addresses"));

        void Come()
        {
            _ = new LinkClient(loop)
            {
                WhenReceived = () => letIn++,
                WhenClosed = () => closed++,
            };
            pair.World.Schedule(5_000_000, Come);
        }
    }

    [Fact]
    public void A_standby_without_free_slots_is_slow_and_not_lost()
    {
        SimulatedPair pair = Joined();
        var taken = new List<Io.IoBuffer>();
        pair.Until("all slots are taken", () =>
        {
            while (pair.B.Resource.Buffers.TryRent(out Io.IoBuffer? slot))
            {
                taken.Add(slot);
            }

            return pair.B.Resource.Buffers.FreeSlots == 0;
        });

        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, 65536, 3);
        pair.World.RunUntil(() => false, 20 * SimulatedPair.SecondNs);
        Assert.Null(write.Error);
        Assert.Equal(LinkState.Joined, pair.A.Link);
        Assert.Equal(LinkState.Joined, pair.B.Link);
        taken.ForEach(pair.B.Resource.Buffers.Return);
        pair.Until("the write completes", () => write.Error is not null);
        Assert.Equal(0, write.Error);
        AllSlotsAreFree(pair);
    }

    internal static void AllSlotsAreFree(SimulatedPair pair) => pair.Until(
        $"all slots are free: {pair.A.Resource.Buffers.FreeSlots} and {pair.B.Resource.Buffers.FreeSlots}",
        () => pair.A.Resource.Buffers.FreeSlots == pair.A.Resource.Buffers.Slots
            && pair.B.Resource.Buffers.FreeSlots == pair.B.Resource.Buffers.Slots,
        seconds: 5);

    private static SimulatedPair Joined()
    {
        var pair = new SimulatedPair();
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        return pair;
    }

    private static void ServesAsBefore(SimulatedPair pair)
    {
        Assert.Equal(LinkState.Joined, pair.A.Link);
        Assert.Equal(LinkState.Joined, pair.B.Link);
        Assert.Single(pair.B.Events, e => e.Contains(" joined "));
        pair.A.Write(0, 65536, 3);
        Assert.Equal(pair.A.Peek(0, 65536), pair.B.Peek(0, 65536));
        AllSlotsAreFree(pair);
    }

    private static byte[] Bytes(string what)
    {
        byte[] hello = LinkClient.Hello();
        switch (what)
        {
            case "nothing":
                return [];
            case "half a hello":
                return hello[..64];
            case "a hello and no proof":
                return hello;
            case "a hello and half a proof":
                return [.. hello, .. new byte[16]];
            case "zeroes":
                return new byte[500];
            case "noise":
                byte[] noise = new byte[500];
                new Random(1).NextBytes(noise);
                return noise;
            case "a damaged hello":
                hello[30] ^= 1;
                return hello;
            case "a hello of later versions":
                hello[4] = 4;
                hello[6] = 4;
                BitConverter.TryWriteBytes(hello.AsSpan(124), Formats.Crc32C.Compute(hello.AsSpan(0, 124)));
                return hello;
            case "a hello of another resource":
                return LinkClient.Hello("other");
            case "a hello with control characters":
                return LinkClient.Hello("r\u001b[31m");
            case "a hello and a wrong proof":
                return [.. hello, .. new byte[LinkKeys.KeyBytes]];
            default:
                throw new ArgumentException(what);
        }
    }
}
