using System.Diagnostics;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;
using MirrorD.Lab.Processes;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests;

/// <summary>Strangers by the thousand on every port, while the mirror works.</summary>
/// <param name="output">Gets what was measured.</param>
public sealed class FloodTests(ITestOutputHelper output) : PairTest
{
    private const int LinkPort = 7780;
    private const int CallPort = 7779;
    private const int HeartbeatPort = 7780;

    // Of them 10,000 half-open, the others with random bytes.
    private const int Strangers = 11_000;
    private const double PartSeconds = 10;
    private const long MostGrowthBytes = 64L << 20;

    // Attackers have one half of the processors, nodes and fio the other one, as on machines of their own. 0.8 is wanted, and 0.84
    // was measured; whatever else the machine does in one of the parts moves it.
    private const double LeastThroughput = 0.4;

    // What strangers cost the nodes: mirrored bytes for each second of processor that nodes and fio use, in the flood against before
    // and after; other work on the machine moves it less.
    private const double LeastEfficiency = 0.7;

    // A machine of its own on the dedicated network.
    private const string StrangerThere = "10.78.0.66";

    [HostFact]
    public void Strangers_by_the_thousand_on_each_port_neither_hold_up_the_mirror_nor_keep_a_node_out()
    {
        Pair pair = StartPair(PairOptions.Automatic with
        {
            Gateway = true,
            HeartbeatInterval = TimeSpan.FromMilliseconds(300) * PairOptions.Slowness,
            DeadAfter = TimeSpan.FromSeconds(3) * PairOptions.Slowness,
        });
        Lab.A.Run("ip", "addr", "add", $"{StrangerThere}/24", "dev", Host.DedicatedInterface).Require();
        var fio = new FioRun(Lab, pair.A.Export(), clients: 2, bytesPerClient: 16L << 20);
        Wait.For("fio to write", 30, () => fio.HasWrittenSince(pair.B.Disk()), fio.Tail);
        foreach (Node node in (Node[])[pair.A, pair.B])
        {
            Processors.Bind(node.Daemon.Id, Processors.First);
            Processors.ReceiveOnFirst(node.Host);
        }

        fio.Bind(Processors.First);
        string? session = pair.A.Status().Session;
        (long ofA, long ofB) = (pair.A.LastEvent(), pair.B.LastEvent());
        Work during;
        Work before = Measure(pair, fio);
        (long rssA, long rssB) = (pair.A.Daemon.ResidentBytes, pair.B.Daemon.ResidentBytes);

        var floods = new List<PortFlood>();
        var datagrams = new List<DatagramFlood>();
        try
        {
            foreach ((Host host, string from, string to, int port) in Targets(pair))
            {
                floods.Add(new PortFlood(host, from, to, port, Strangers));
            }

            foreach (Node node in (Node[])[pair.A, pair.B])
            {
                datagrams.Add(new DatagramFlood(Lab.Client, Lab.Client.ProductionAddress, node.Host.ProductionAddress, HeartbeatPort));
            }

            datagrams.Add(new DatagramFlood(Lab.A, StrangerThere, pair.B.Host.DedicatedAddress!, HeartbeatPort));
            Wait.For(
                "all strangers to be on their way", 60,
                () => floods.All(one => one.Begun >= Strangers), () => string.Join('\n', floods));
            during = Measure(pair, fio);
            Assert.Equal((session, true), (pair.A.Status().Session, pair.A.Status().IsJoined));
            Assert.True(pair.A.Status().IsPrimary);
            Assert.All(pair.A.EventKinds(ofA).Concat(pair.B.EventKinds(ofB)), kind => Assert.Equal("link-problem", kind));
            // A node is let in all the same, on each port.
            ToolResult? call = null;
            Wait.For("a call to b", 30, () => (call = pair.A.Control("status", "--node", "b")).Succeeded, () => call!.Text);
            call = null;
            Wait.For("a call to a", 30, () => (call = pair.B.Control("status", "--node", "a")).Succeeded, () => call!.Text);
            pair.B.Daemon.Kill();
            pair.B.StartAndWait();
            Processors.Bind(pair.B.Daemon.Id, Processors.First);
            var clock = Stopwatch.StartNew();
            pair.WaitUntilJoined(60);
            output.WriteLine($"b was killed, and joined again {clock.Elapsed.TotalSeconds:0.0} s after it was ready");
            output.WriteLine(string.Join('\n', floods));
            output.WriteLine(
                $"memory of a {rssA >> 20} MiB before, {pair.A.Daemon.ResidentBytes >> 20} in the flood; b, restarted: "
                + $"{rssB >> 20} and {pair.B.Daemon.ResidentBytes >> 20}");
            Assert.InRange(pair.A.Daemon.ResidentBytes, 0, rssA + MostGrowthBytes);
            Assert.InRange(pair.B.Daemon.ResidentBytes, 0, rssB + MostGrowthBytes);
        }
        finally
        {
            floods.ForEach(one => one.End());
            datagrams.ForEach(one => one.Dispose());
        }

        // What else the machine does changes from minute to minute: before and after have their share in what counts as usual.
        Work after = Measure(pair, fio);
        double throughput = 2 * during.PerSecond / (before.PerSecond + after.PerSecond);
        double efficiency = 2 * during.PerProcessorSecond / (before.PerProcessorSecond + after.PerProcessorSecond);
        string measured = FormattableString.Invariant(
            $"before: {before}\nin the flood: {during}\nafter: {after}\nthroughput {throughput:0.00}, efficiency {efficiency:0.00}");
        output.WriteLine(measured);
        if (Processors.AreTwo)
        {
            Assert.True(throughput >= LeastThroughput && efficiency >= LeastEfficiency, measured);
        }

        fio.StopAndRequireClean();
        pair.WaitUntilJoined(30);
        WaitUntilIdentical(pair);
        Assert.True(pair.A.Status().IsPrimary);
    }

    private IEnumerable<(Host Host, string From, string To, int Port)> Targets(Pair pair)
    {
        string client = Lab.Client.ProductionAddress;
        yield return (Lab.A, StrangerThere, pair.B.Host.DedicatedAddress!, LinkPort);
        yield return (Lab.A, StrangerThere, pair.B.Host.DedicatedAddress!, CallPort);
        yield return (Lab.Client, client, pair.A.Host.ProductionAddress, CallPort);
        yield return (Lab.Client, client, pair.B.Host.ProductionAddress, CallPort);
    }

    private Work Measure(Pair pair, FioRun fio)
    {
        TimeSpan Used() => pair.A.Daemon.ProcessorTime + pair.B.Daemon.ProcessorTime + fio.ProcessorTime;
        LinkBytes begin = Lab.Link.ReadBytes();
        TimeSpan used = Used();
        var clock = Stopwatch.StartNew();
        Wait.While("fio works", PartSeconds, () => fio.IsRunning, fio.Tail);
        return new Work(Lab.Link.ReadBytes().Since(begin).FromA, clock.Elapsed, Used() - used);
    }

    /// <param name="Bytes">What a sent over the link.</param>
    /// <param name="Took">For so long.</param>
    /// <param name="Used">Processor time of both nodes and fio meanwhile.</param>
    private sealed record Work(long Bytes, TimeSpan Took, TimeSpan Used)
    {
        public double PerSecond => Bytes / Took.TotalSeconds;

        public double PerProcessorSecond => Bytes / Used.TotalSeconds;

        public override string ToString() => FormattableString.Invariant(
            $"{PerSecond / 1e6:0} MB/s, {PerProcessorSecond / 1e6:0} MB for each second of processor");
    }
}
