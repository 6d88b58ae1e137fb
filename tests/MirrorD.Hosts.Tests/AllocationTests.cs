using System.Globalization;
using System.Text.Json;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Pairs;
using Xunit.Abstractions;

namespace MirrorD.Hosts.Tests;

/// <summary>What real daemons take from their heaps while fio keeps them busy, by their own metrics.</summary>
public sealed class AllocationTests(ITestOutputHelper output) : PairTest
{
    private const int Requests = 100_000;

    /// <summary>
    /// Room for what is done by time and by call, not by request: a page of metrics (300 KB), fio's connection (85 KB), and a
    /// status and a checkpoint each second (600 bytes). One object for each request would be 24 bytes.
    /// </summary>
    private const double MostBytesPerRequest = 10;

    /// <summary>The heap's youngest generation has 2 MiB: by the above one may be due.</summary>
    private const int MostCollections = 1;

    [HostTheory]
    [InlineData("uring", "epoll", "on")]
    [InlineData("epoll", "uring", "off")]
    public void Requests_take_nothing_from_the_heaps_of_both_daemons(string a, string b, string encryption)
    {
        Pair pair = StartPair(new PairOptions
        {
            DiskBytes = 128L << 20,
            NodeLine = new Dictionary<string, string> { ["a"] = $"io: {a}", ["b"] = $"io: {b}" },
            ResourceLines = [$"encryption: {encryption}"],
        });
        Run(pair, Requests / 10);
        Node[] nodes = [pair.A, pair.B];
        Heap[] before = [.. nodes.Select(Heap.Of)];
        Run(pair, Requests);
        Heap[] after = [.. nodes.Select(Heap.Of)];
        foreach ((int i, Node node) in nodes.Index())
        {
            double bytes = (after[i].AllocatedBytes - before[i].AllocatedBytes) / Requests;
            double[] collections = [.. after[i].Collections.Zip(before[i].Collections, (now, then) => now - then)];
            string found = $"{node.Name}: {bytes:0.00} bytes for each request, collections {string.Join(", ", collections)}";
            output.WriteLine(found);
            Assert.True(bytes < MostBytesPerRequest && collections.All(rise => rise <= MostCollections), found);
        }
    }

    private static void Run(Pair pair, int requests)
    {
        string said = NbdTools.Fio(
            "--name=r", "--ioengine=nbd", $"--uri={NbdTools.Uri(pair.A.Export())}", "--rw=randrw", "--rwmixread=20",
            "--bs=4k", "--iodepth=32", "--size=64m", $"--io_size={requests * 4L}k", "--norandommap", "--fsync=2000",
            "--output-format=json").Require().Output;
        using JsonDocument document = JsonDocument.Parse(said[said.IndexOf('{')..]);
        JsonElement job = document.RootElement.GetProperty("jobs")[0];
        Assert.Equal(0, job.GetProperty("error").GetInt32());
        int done = new[] { "read", "write" }.Sum(kind => job.GetProperty(kind).GetProperty("total_ios").GetInt32());
        Assert.Equal(requests, done);
    }

    private sealed record Heap(double AllocatedBytes, double[] Collections)
    {
        public static Heap Of(Node node)
        {
            string[] lines = node.Get("/metrics").Split('\n');
            return new Heap(
                Sample("mirrord_allocated_bytes_total"),
                [.. Enumerable.Range(0, 3).Select(each => Sample($"mirrord_gc_collections_total{{generation=\"{each}\"}}"))]);

            double Sample(string name)
            {
                string line = Assert.Single(lines, each => each.StartsWith(name + " ", StringComparison.Ordinal));
                return double.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
            }
        }
    }
}
