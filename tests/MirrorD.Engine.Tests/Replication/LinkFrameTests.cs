using MirrorD.Core.Volumes;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Formats.Peer;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>
/// A peer that has the key and breaks the protocol: one event that names the cause, the connection is closed,
/// and the resource goes on over the next one.
/// </summary>
public class LinkFrameTests
{
    private const int Data = 65536;
    private const int SmallData = 4096;

    /// <summary>What is sent instead of a frame.</summary>
    private delegate byte[] Misdeed(LinkProxy.Way way, PeerFrame frame, byte[] payload);

    private static readonly Dictionary<string, Misdeed> OfWrites = new()
    {
        ["noise"] = (_, _, _) => Noise(),
        ["a header with a flipped bit"] = (way, frame, payload) => Flip(way.Seal(frame, payload), 20),
        ["a header under another key"] = (way, frame, payload) =>
        {
            byte[] bytes = way.Seal(frame, payload);
            frame.Encode(bytes, way.Other.Keys.FromListener, way.NextNumber - 1);
            return bytes;
        },
        ["the same frame twice"] = (way, frame, payload) =>
        {
            byte[] bytes = way.Seal(frame, payload);
            return [.. bytes, .. bytes];
        },
        ["a frame of another session"] = (way, frame, payload) =>
            way.Seal(frame with { Session = new SessionId(frame.Session.Value ^ 1) }, payload),
        ["an old sequence"] = (way, frame, payload) => way.Seal(frame with { Sequence = 0 }, payload),
        ["a sequence left out"] = (way, frame, payload) =>
            way.Seal(frame with { Sequence = frame.Sequence + 1 }, payload),
        ["a payload that is too long"] = (way, frame, payload) =>
            way.Seal(WithLength(frame, PeerFrame.MaxDataBytes + 512), payload),
        ["a payload of 4 GiB"] = (way, frame, payload) => way.Seal(WithLength(frame, uint.MaxValue), payload),
        ["a damaged payload"] = (way, frame, payload) =>
            Flip(way.Seal(frame, payload), PeerFrame.HeaderBytes + payload.Length - 1),
        ["a range beyond the volume"] = (way, frame, payload) =>
            way.Seal(frame with { Offset = 16 << 20 }, payload),
        ["a negative offset"] = (way, frame, payload) => way.Seal(frame with { Offset = -4096 }, payload),
        ["an offset that overflows"] = (way, frame, payload) =>
            way.Seal(frame with { Offset = long.MaxValue - 511 }, payload),
        ["an unaligned offset"] = (way, frame, payload) => way.Seal(frame with { Offset = 1 }, payload),
        ["a volume that does not exist"] = (way, frame, payload) =>
            way.Seal(frame with { Volume = 7 }, payload),
        ["a zero beyond the volume"] = (way, frame, _) => way.Seal(ZeroOf(frame, 1 << 30), []),
        ["a zero of 4 GiB"] = (way, frame, _) => way.Seal(ZeroOf(frame, uint.MaxValue), []),
        ["an unknown type"] = (way, frame, payload) =>
            way.Seal(frame with { Type = (PeerFrameType)250 }, payload),
        ["an unknown flag"] = (way, frame, payload) =>
            way.Seal(frame with { Flags = (PeerFrameFlags)0x8000 }, payload),
        ["a flush of what was never sent"] = (way, frame, _) => way.Seal(
            new PeerFrame { Type = PeerFrameType.Flush, Session = frame.Session, Sequence = 1000 }, []),
        ["a ping that says something"] = (way, frame, _) => way.Seal(
            new PeerFrame { Type = PeerFrameType.Ping, Session = frame.Session, Sequence = 1 }, []),
        ["a message of no known kind"] = (way, frame, _) =>
        {
            byte[] payload = [0xff];
            return way.Seal(MessageOf(frame, payload), payload);
        },
        ["a message that was changed"] = (way, frame, _) =>
        {
            byte[] payload = [8];
            return Flip(way.Seal(MessageOf(frame, payload), payload), PeerFrame.HeaderBytes);
        },
        ["a payload without tag"] = (way, frame, payload) =>
        {
            byte[] header = way.Seal(frame with { PayloadTag = default }, [])[..PeerFrame.HeaderBytes];
            return [.. header, .. payload];
        },
        ["a payload of another frame"] = (way, frame, payload) =>
        {
            byte[] other = [.. payload];
            other[^1] ^= 1;
            byte[] bytes = way.Seal(frame, payload);
            return [.. bytes[..PeerFrame.HeaderBytes], .. other];
        },
        ["a message out of its turn"] = (way, _, _) =>
            way.Seal(new PeerMessage.Commit(default, new Generation(1), [], 0, 0)),
        ["facts a second time"] = (way, _, _) => way.Seal(new PeerMessage.Facts(new byte[10])),
        ["a page of the dirty map"] = (way, _, _) => way.Seal(new PeerMessage.DirtyPage(0, 0, new byte[10])),
    };

    public static TheoryData<string, string> Cases() => new()
    {
        { "noise", "not a frame of this protocol" },
        { "a header with a flipped bit", "header tag does not fit" },
        { "a header under another key", "header tag does not fit" },
        { "the same frame twice", "header tag does not fit" },
        { "a frame of another session", "frame of another session" },
        { "an old sequence", "sequence 0 after " },
        { "a sequence left out", " after " },
        { "a payload that is too long", "Write with payload 131584" },
        { "a payload of 4 GiB", "Write with payload 4294967295" },
        { "a damaged payload", "payload tag does not fit" },
        { "a range beyond the volume", "does not exist" },
        { "a negative offset", "does not exist" },
        { "an offset that overflows", "does not exist" },
        { "an unaligned offset", "does not exist" },
        { "a volume that does not exist", "volume 7 does not exist" },
        { "a zero beyond the volume", "does not exist" },
        { "a zero of 4 GiB", "zero of 4294967295 bytes" },
        { "an unknown type", "unknown frame type 250" },
        { "an unknown flag", "flags 8000" },
        { "a flush of what was never sent", "a flush up to 1000" },
        { "a ping that says something", "a field that this frame does not use" },
        { "a message of no known kind", "malformed control message" },
        { "a message that was changed", "payload tag does not fit" },
        { "a payload without tag", "payload tag does not fit" },
        { "a payload of another frame", "payload tag does not fit" },
        { "a message out of its turn", "Commit while Joined" },
        { "facts a second time", "Facts while Joined" },
        { "a page of the dirty map", "DirtyPage while Joined" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_primary_that_breaks_the_protocol_is_named_and_joins_again(string misdeed, string cause)
    {
        foreach (int length in new[] { SmallData, Data })
        {
            SimulatedPair pair = Joined(out LinkProxy proxy);
            Once(proxy, (way, frame) => way.FromConnector && frame.Type == PeerFrameType.Write,
                OfWrites[misdeed]);
            pair.A.Write(0, length, 0x5a);
            NamedOnceAndJoinedAgain(pair, pair.B, cause);
            Assert.Equal(pair.A.Peek(0, 16 << 20), pair.B.Peek(0, 16 << 20));
        }
    }

    [Fact]
    public void A_connection_that_ends_within_a_payload_keeps_no_slot()
    {
        SimulatedPair pair = Joined(out LinkProxy proxy);
        bool isCut = false;
        Once(proxy, (way, frame) => way.FromConnector && frame.Type == PeerFrameType.Write,
            (way, frame, payload) =>
            {
                isCut = true;
                return way.Seal(frame, payload)[..(Data / 2)];
            });
        SimulatedPair.Pending write = pair.A.Submit(VolumeOperation.Write, 0, Data, 5);
        pair.Until("half of the write is sent", () => isCut);
        pair.Until("a slot is taken for it",
            () => pair.B.Resource.Buffers.FreeSlots < pair.B.Resource.Buffers.Slots);
        pair.World.Network.Reset("proxy", "b");
        pair.Until("the write completes", () => write.Error == 0);
        pair.Join();
        Assert.Equal(pair.A.Peek(0, Data), pair.B.Peek(0, Data));
        LinkTests.AllSlotsAreFree(pair);
    }

    [Fact]
    public void Data_from_a_standby_is_refused()
    {
        SimulatedPair pair = Joined(out LinkProxy proxy);
        Once(proxy, (way, frame) => !way.FromConnector && frame.Type == PeerFrameType.Acknowledge,
            (way, frame, _) => way.Seal(
                new PeerFrame
                {
                    Type = PeerFrameType.Zero,
                    Session = frame.Session,
                    Sequence = 1,
                    RangeBytes = 4096,
                },
                []));
        pair.A.Write(0, Data, 0x5a);
        NamedOnceAndJoinedAgain(pair, pair.A, "data for a node that is Primary");
        Assert.Equal(pair.A.Peek(0, Data), pair.B.Peek(0, Data));
        Assert.All(pair.A.Peek(0, Data), b => Assert.Equal(0x5a, b));
    }

    [Fact]
    public void A_standby_cannot_call_durable_what_it_was_never_sent()
    {
        SimulatedPair pair = Joined(out LinkProxy proxy);
        pair.A.Write(0, Data, 1);
        Once(proxy, (way, frame) => !way.FromConnector && frame.Type == PeerFrameType.Durable,
            (way, frame, payload) => way.Seal(frame with { Sequence = frame.Sequence + 1000 }, payload));
        pair.A.Flush();
        NamedOnceAndJoinedAgain(pair, pair.A, "protocol error: durable ");
    }

    [Fact]
    public void An_acknowledgement_of_nothing_changes_nothing()
    {
        SimulatedPair pair = Joined(out LinkProxy proxy);
        Once(proxy, (way, frame) => !way.FromConnector && frame.Type == PeerFrameType.Acknowledge,
            (way, frame, payload) =>
            [
                .. way.Seal(frame with { Sequence = 77777 }, payload), .. way.Seal(frame, payload),
                .. way.Seal(frame, payload),
            ]);
        pair.A.Write(0, Data, 1);
        pair.A.Write(0, Data, 2);
        Assert.Equal(LinkState.Joined, pair.A.Link);
        Assert.Equal(pair.A.Peek(0, Data), pair.B.Peek(0, Data));
    }

    public static TheoryData<int> JoiningMessages() => [.. Enumerable.Range(0, 6)];

    [Theory]
    [MemberData(nameof(JoiningMessages))]
    public void A_damaged_message_of_the_join_breaks_that_join_only(int number)
    {
        var pair = new SimulatedPair();
        LinkProxy proxy = Through(pair);
        int seen = 0;
        Once(proxy, (_, frame) => frame.Type == PeerFrameType.Message && seen++ == number,
            (way, frame, payload) => Flip(way.Seal(frame, payload), PeerFrame.HeaderBytes));
        pair.StartBoth();
        pair.Join();
        Assert.Single(pair.A.Events.Concat(pair.B.Events), e => e.Contains("payload tag does not fit"));
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        pair.A.Write(0, Data, 3);
        Assert.Equal(pair.A.Peek(0, Data), pair.B.Peek(0, Data));
    }

    [Fact]
    public void A_peer_that_decides_differently_is_refused_by_both()
    {
        var pair = new SimulatedPair();
        LinkProxy proxy = Through(pair);
        int messages = 0;
        Once(proxy,
            (way, frame) => way.FromConnector && frame.Type == PeerFrameType.Message && ++messages == 2,
            (way, _, payload) => way.Seal(new PeerMessage.Decision(99, payload[2], payload[3])));
        pair.StartBoth();
        pair.Until("the difference is told", () => pair.B.Events.Any(e => e.Contains("decide differently")));
        pair.Join();
    }

    [Fact]
    public void Garbage_of_any_length_after_the_proof_ends_the_connection()
    {
        var random = new Random(5);
        SimulatedPair pair = Joined(out LinkProxy proxy);
        for (int round = 0; round < 30; round++)
        {
            byte[] garbage = new byte[random.Next(PeerFrame.HeaderBytes, 3000)];
            random.NextBytes(garbage);
            Once(proxy, (way, frame) => way.FromConnector, (_, _, _) => garbage);
            pair.Until($"round {round}: the link breaks", () => pair.B.Link != LinkState.Joined);
            pair.Join();
        }

        LinkTests.AllSlotsAreFree(pair);
    }

    private static SimulatedPair Joined(out LinkProxy proxy)
    {
        var pair = new SimulatedPair();
        proxy = Through(pair);
        pair.StartBoth();
        pair.Join();
        Assert.True(pair.A.Do(new ResourceCommand.Promote(false)).Succeeded);
        return pair;
    }

    private static LinkProxy Through(SimulatedPair pair)
    {
        var proxy = new LinkProxy(pair.World);
        pair.A.ConnectTo = proxy.Endpoint;
        return proxy;
    }

    private static void Once(LinkProxy proxy, Func<LinkProxy.Way, PeerFrame, bool> when, Misdeed misdeed)
    {
        bool isDone = false;
        proxy.Change = (way, frame, payload) =>
        {
            if (isDone || !when(way, frame))
            {
                return null;
            }

            isDone = true;
            return misdeed(way, frame, payload);
        };
    }

    private static void NamedOnceAndJoinedAgain(SimulatedPair pair, SimulatedPair.Node judge, string cause)
    {
        pair.Until($"an event about: {cause}", () => judge.Events.Any(e => e.Contains(cause)));
        pair.Join();
        Assert.Single(judge.Events, e => e.Contains(cause));
        Assert.Single(judge.Events, e => e.Contains("link-lost"));
        Assert.Equal(Role.Primary, pair.A.Role);
        pair.A.Write(1 << 20, Data, 9);
        Assert.Equal(pair.A.Peek(1 << 20, Data), pair.B.Peek(1 << 20, Data));
        LinkTests.AllSlotsAreFree(pair);
    }

    private static PeerFrame WithLength(PeerFrame frame, uint bytes) =>
        frame with { PayloadBytes = bytes, RangeBytes = bytes };

    private static PeerFrame ZeroOf(PeerFrame frame, uint bytes) => new()
    {
        Type = PeerFrameType.Zero,
        Session = frame.Session,
        Sequence = frame.Sequence,
        RangeBytes = bytes,
    };

    private static PeerFrame MessageOf(PeerFrame frame, byte[] payload) => new()
    {
        Type = PeerFrameType.Message,
        Session = frame.Session,
        PayloadBytes = (uint)payload.Length,
    };

    private static byte[] Flip(byte[] bytes, int at)
    {
        bytes[at] ^= 1;
        return bytes;
    }

    private static byte[] Noise()
    {
        byte[] noise = new byte[PeerFrame.HeaderBytes];
        new Random(4).NextBytes(noise);
        return noise;
    }
}
