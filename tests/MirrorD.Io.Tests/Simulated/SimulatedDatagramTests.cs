using System.Net;
using System.Text;
using MirrorD.Io.Simulated;

namespace MirrorD.Io.Tests.Simulated;

public class SimulatedDatagramTests
{
    private const long Second = 1_000_000_000;

    [Fact]
    public void Without_settings_every_datagram_arrives_once_and_in_its_order()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var pair = new DatagramPair(seed);
            Assert.Equal(Sent(50), pair.Exchange(50));
        }
    }

    [Fact]
    public void Equal_seeds_lose_double_and_reorder_alike()
    {
        Assert.Equal(BadLine(3).Exchange(50), BadLine(3).Exchange(50));
        Assert.NotEqual(BadLine(3).Exchange(50), BadLine(4).Exchange(50));

        static DatagramPair BadLine(ulong seed)
        {
            var pair = new DatagramPair(seed);
            pair.Network.DatagramLossPercent = 20;
            pair.Network.DatagramDuplicatePercent = 20;
            pair.Network.DatagramReorderPercent = 20;
            return pair;
        }
    }

    [Fact]
    public void Loss_takes_about_as_many_as_it_says_and_leaves_the_others_in_order()
    {
        var pair = new DatagramPair(1);
        pair.Network.DatagramLossPercent = 30;
        List<string> received = pair.Exchange(1000);
        Assert.InRange(received.Count, 600, 800);
        Assert.Equal(received.Distinct().OrderBy(int.Parse), received);

        pair.Network.DatagramLossPercent = 100;
        Assert.Empty(pair.Exchange(50));
    }

    [Fact]
    public void Held_datagrams_arrive_in_their_order_when_they_are_released_and_none_is_held_afterwards()
    {
        var pair = new DatagramPair(1);
        pair.Network.Holds = (_, _) => true;
        Assert.Empty(pair.Exchange(20));
        pair.Network.ReleaseHeld();
        Assert.Equal([.. Sent(20), .. Sent(10)], pair.Exchange(10));
    }

    [Fact]
    public void Doubled_datagrams_arrive_twice()
    {
        var pair = new DatagramPair(1);
        pair.Network.DatagramDuplicatePercent = 100;
        Assert.Equal(
            Sent(50).SelectMany(text => new[] { text, text }).Order(), pair.Exchange(50).Order());
    }

    [Fact]
    public void Reordered_datagrams_all_arrive_but_some_later_than_their_successors()
    {
        var pair = new DatagramPair(1);
        pair.Network.DatagramReorderPercent = 30;
        List<string> received = pair.Exchange(200);
        Assert.Equal(Sent(200).Order(), received.Order());
        Assert.NotEqual(Sent(200), received);
    }

    [Fact]
    public void A_host_that_is_on_refuses_what_no_process_takes()
    {
        var pair = new DatagramPair(1);
        pair.World.CrashProcess("b");
        Assert.Equal(-Errno.ECONNREFUSED, pair.AnswerToSend());

        SimulatedLoop again = pair.World.CreateLoop("b");
        IDatagramSocket reopened = again.OpenDatagram(pair.AtB.Endpoint);
        List<string> received = DatagramPair.Collect(again, reopened);
        pair.Send("anew");
        Assert.True(pair.World.RunUntil(() => received.Count > 0, Second));
        Assert.Equal(["anew"], received);
    }

    [Fact]
    public void A_closed_socket_refuses_as_well()
    {
        var pair = new DatagramPair(1);
        pair.AtB.Close();
        Assert.Equal(-Errno.ECONNREFUSED, pair.AnswerToSend());
    }

    [Fact]
    public void A_host_without_power_says_nothing_until_it_is_switched_on()
    {
        var pair = new DatagramPair(1);
        pair.World.PowerCut("b");
        Assert.Null(pair.AnswerToSend());

        pair.World.SwitchOn("b");
        pair.Send("anybody there?");
        Assert.True(pair.World.RunUntil(() => pair.AnswersAtA.Count > 0, Second));
        Assert.Equal([-Errno.ECONNREFUSED], pair.AnswersAtA);
    }

    [Theory]
    [InlineData("a", "b")]
    [InlineData("b", "a")]
    public void A_cut_in_either_direction_keeps_the_refusal_away(string from, string to)
    {
        var pair = new DatagramPair(1);
        pair.World.CrashProcess("b");
        pair.Network.CutOneWay(DatagramPair.Production, from, to);
        Assert.Null(pair.AnswerToSend());
        pair.Network.Mend(DatagramPair.Production, "a", "b");
        Assert.Equal(-Errno.ECONNREFUSED, pair.AnswerToSend());
    }

    [Fact]
    public void Only_a_cut_of_its_own_network_and_direction_stops_a_datagram()
    {
        var pair = new DatagramPair(1);
        pair.Network.Cut("dedicated", "a", "b");
        pair.Network.CutOneWay(DatagramPair.Production, "b", "a");
        Assert.Equal(Sent(3), pair.Exchange(3));

        pair.Network.CutOneWay(DatagramPair.Production, "a", "b");
        Assert.Empty(pair.Exchange(3));

        // What was lost does not come after the mending.
        pair.Network.Mend(DatagramPair.Production, "a", "b");
        Assert.Equal(Sent(2), pair.Exchange(2));
    }

    [Fact]
    public void A_cut_loses_what_is_on_its_way()
    {
        var pair = new DatagramPair(1);
        List<string> received = DatagramPair.Collect(pair.B, pair.AtB);
        pair.Send("too late");
        pair.Network.Cut("a", "b");
        Assert.False(pair.World.RunUntil(() => received.Count > 0, Second));
    }

    [Fact]
    public void What_comes_for_a_paused_process_waits_until_its_socket_is_full()
    {
        var pair = new DatagramPair(1);
        List<string> received = DatagramPair.Collect(pair.B, pair.AtB);
        pair.World.Pause("b", Second);
        pair.SendMany(100);
        Assert.False(pair.World.RunUntil(() => received.Count > 0, Second / 2));
        Assert.Empty(pair.AnswersAtA);

        pair.World.RunUntil(() => false, Second);
        Assert.Equal(Sent(64), received);
    }

    [Fact]
    public void What_waits_in_a_socket_dies_with_its_process()
    {
        var pair = new DatagramPair(1);
        pair.SendMany(5);
        pair.World.RunUntil(() => false, Second / 10);
        pair.World.CrashProcess("b");
        SimulatedLoop again = pair.World.CreateLoop("b");
        List<string> received = DatagramPair.Collect(again, again.OpenDatagram(pair.AtB.Endpoint));
        Assert.False(pair.World.RunUntil(() => received.Count > 0, Second));
    }

    [Fact]
    public void What_a_dead_process_had_sent_still_arrives_and_its_answer_finds_nobody()
    {
        var pair = new DatagramPair(1);
        List<string> received = DatagramPair.Collect(pair.B, pair.AtB);
        pair.Send("last words");
        pair.World.CrashProcess("a");
        Assert.True(pair.World.RunUntil(() => received.Count > 0, Second));

        List<int> refusals = [];
        pair.AtB.Close();
        IDatagramSocket atB = pair.B.OpenDatagram(pair.AtB.Endpoint);
        DatagramPair.Collect(pair.B, atB, refusals);
        DatagramPair.Send(pair.B, atB, "who?");
        Assert.True(pair.World.RunUntil(() => refusals.Count > 0, Second));
        Assert.Equal([-Errno.ECONNREFUSED], refusals);
    }

    [Fact]
    public void There_is_no_way_between_addresses_of_different_networks()
    {
        var pair = new DatagramPair(1);
        var endpoint = new UdpEndpoint(DatagramPair.DedicatedA, 7792, pair.AtB.Endpoint.LocalAddress, 7792);
        IDatagramSocket socket = pair.A.OpenDatagram(endpoint);
        Assert.Equal(-Errno.ENETUNREACH, pair.ResultOf(() => DatagramPair.Send(pair.A, socket, "hello")));
    }

    private static IEnumerable<string> Sent(int count) =>
        Enumerable.Range(0, count).Select(number => $"{number}");

    /// <summary>Two hosts with a socket each on the production network; a takes errors, b datagrams.</summary>
    private sealed class DatagramPair
    {
        public const string Production = "production";
        public static readonly IPAddress DedicatedA = IPAddress.Parse("10.0.0.1");

        public DatagramPair(ulong seed)
        {
            World = new SimulatedWorld(seed);
            A = World.CreateLoop("a");
            B = World.CreateLoop("b");
            World.AddAddress("a", DedicatedA);
            World.AddAddress("b", IPAddress.Parse("10.0.0.2"));
            var atA = IPAddress.Parse("10.1.0.1");
            var atB = IPAddress.Parse("10.1.0.2");
            World.AddAddress("a", atA, Production);
            World.AddAddress("b", atB, Production);
            AtA = A.OpenDatagram(new UdpEndpoint(atA, 7791, atB, 7791));
            AtB = B.OpenDatagram(new UdpEndpoint(atB, 7791, atA, 7791));
            Collect(A, AtA, AnswersAtA);
        }

        public SimulatedWorld World { get; }

        public SimulatedNetwork Network => World.Network;

        public SimulatedLoop A { get; }

        public SimulatedLoop B { get; }

        public IDatagramSocket AtA { get; }

        public IDatagramSocket AtB { get; }

        /// <summary>Errors that the receives at a ended with.</summary>
        public List<int> AnswersAtA { get; } = [];

        /// <summary>Keeps a receive pending and collects what it gets.</summary>
        public static List<string> Collect(SimulatedLoop loop, IDatagramSocket socket, List<int>? errors = null)
        {
            List<string> received = [];
            BufferSlice into = new IoBuffer(64).Slice(0, 64);
            loop.Receive(socket, into, new IoOperation(operation =>
            {
                if (operation.Result >= 0)
                {
                    received.Add(Encoding.ASCII.GetString(into.Span[..operation.Result]));
                }
                else
                {
                    errors?.Add(operation.Result);
                }

                if (operation.Result != -Errno.ECANCELED)
                {
                    loop.Receive(socket, into, operation);
                }
            }));
            return received;
        }

        public static IoOperation Send(SimulatedLoop loop, IDatagramSocket socket, string text)
        {
            BufferSlice from = new IoBuffer(64).Slice(0, text.Length);
            Encoding.ASCII.GetBytes(text, from.Span);
            var operation = new IoOperation(_ => { });
            loop.Send(socket, from, operation);
            return operation;
        }

        public void Send(string text) => Assert.Equal(text.Length, ResultOf(() => Send(A, AtA, text)));

        public int ResultOf(Func<IoOperation> submit)
        {
            IoOperation operation = submit();
            Assert.True(World.RunUntil(() => !operation.IsPending, Second));
            return operation.Result;
        }

        public void SendMany(int count)
        {
            foreach (string text in Sent(count))
            {
                Send(text);
            }
        }

        /// <summary>Sends so many from a and gives what b received within a second.</summary>
        public List<string> Exchange(int count)
        {
            IDatagramSocket fresh = B.OpenDatagram(AtB.Endpoint);
            List<string> received = Collect(B, fresh);
            SendMany(count);
            World.RunUntil(() => false, Second);
            fresh.Close();
            return received;
        }

        /// <summary>The error that a hears within a second after it sent something; null: nothing.</summary>
        public int? AnswerToSend()
        {
            AnswersAtA.Clear();
            Send("hello");
            int? answer = World.RunUntil(() => AnswersAtA.Count > 0, Second) ? AnswersAtA[0] : null;
            AnswersAtA.Clear();
            return answer;
        }
    }
}
