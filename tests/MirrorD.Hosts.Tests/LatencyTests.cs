using System.Globalization;
using System.Text.Json;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Hosts.Tests;

/// <summary>
/// A disk or link that is slow shows in its own stage of the metrics and in no other, by as much as a client finds its writes slow.
/// </summary>
public sealed class LatencyTests : PairTest
{
    private const int Writes = 40;
    private const int SlowMs = 50;
    private static readonly string[] s_stages = ["queue", "log", "local_disk", "network", "peer_disk", "reply"];

    [HostTheory]
    [InlineData("local_disk")]
    [InlineData("peer_disk")]
    [InlineData("network")]
    public void What_is_slow_is_named(string stage)
    {
        Pair pair = StartPair(new PairOptions
        {
            Disks = DiskKind.Failing,
            DiskBytes = 64L << 20,
            LinkTimeout = "15s",
            SlowWrites = stage switch
            {
                "local_disk" => ("a", SlowMs),
                "peer_disk" => ("b", SlowMs),
                _ => null,
            },
        });
        Write(pair, Writes);
        if (stage == "network")
        {
            // 64 KiB less what may leave at once: 55 ms.
            DedicatedLink.SlowDown(pair.A.Host, "8mbit");
        }

        string before = pair.A.Get("/metrics");
        double clientMs = Write(pair, Writes);
        string after = pair.A.Get("/metrics");

        Assert.True(clientMs >= SlowMs, $"fio's writes took {clientMs} ms");
        Dictionary<string, double> found = s_stages.ToDictionary(each => each, each => AverageMs(before, after, each));
        string all = $"fio: {clientMs:0.0} ms; " + string.Join(", ", found.Select(each => $"{each.Key} {each.Value:0.0}"));
        Assert.True(found[stage] > clientMs * 0.6 && found[stage] <= clientMs * 1.02, all);
        Assert.All(found.Where(each => each.Key != stage), each => Assert.True(each.Value < clientMs * 0.3, all));
    }

    [HostFact]
    public void Top_shows_the_rates_of_a_running_client()
    {
        Pair pair = StartPair();
        var fio = new FioRun(Lab, pair.A.Export(), clients: 1, bytesPerClient: 8 << 20);
        MirrorD.Lab.Wait.For("writes to be shown", 30, () => Rates(pair, "write").PerSecond > 10, () => Lab.Logs(40));
        (double perSecond, double bytesPerSecond, string[] stages) = Rates(pair, "write");
        string table = pair.A.Control("top", Pair.ResourceName, "--once").Require().Output;
        fio.StopAndRequireClean();

        Assert.InRange(bytesPerSecond / perSecond, 4096, 65536);
        Assert.Equal(["queue", "log", "local_disk", "peer", "network", "peer_disk", "reply", "total"], stages);
        Assert.StartsWith($"{Pair.ResourceName} data Primary write ", table.Split('\n')[1]);
    }

    private static (double PerSecond, double BytesPerSecond, string[] Stages) Rates(Pair pair, string operation)
    {
        string line = pair.A.Control("top", "--once", "--json").Require().Output;
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement found = document.RootElement.GetProperty("operations").EnumerateArray()
            .Single(each => each.GetProperty("operation").GetString() == operation);
        return (found.GetProperty("perSecond").GetDouble(), found.GetProperty("bytesPerSecond").GetDouble(),
            [.. found.GetProperty("stages").EnumerateArray().Select(each => each.GetProperty("stage").GetString()!)]);
    }

    /// <summary>Writes 64 KiB one after the other; the average in milliseconds as fio sees it.</summary>
    private static double Write(Pair pair, int count)
    {
        string output = NbdTools.Fio(
            "--name=w", "--ioengine=nbd", $"--uri={NbdTools.Uri(pair.A.Export())}", "--rw=write", "--bs=64k", "--iodepth=1",
            "--size=16m", $"--number_ios={count}", "--output-format=json").Require().Output;
        using JsonDocument document = JsonDocument.Parse(output[output.IndexOf('{')..]);
        JsonElement write = document.RootElement.GetProperty("jobs")[0].GetProperty("write");
        Assert.Equal(count, write.GetProperty("total_ios").GetInt32());
        return write.GetProperty("clat_ns").GetProperty("mean").GetDouble() / 1e6;
    }

    private static double AverageMs(string before, string after, string stage)
    {
        double count = Sample(after, "count", stage) - Sample(before, "count", stage);
        Assert.Equal(Writes, count);
        return (Sample(after, "sum", stage) - Sample(before, "sum", stage)) / count * 1e3;
    }

    private static double Sample(string metrics, string part, string stage)
    {
        string begin = $"mirrord_volume_request_stage_duration_seconds_{part}"
            + $"{{resource=\"{Pair.ResourceName}\",volume=\"data\",operation=\"write\",stage=\"{stage}\"}} ";
        string line = Assert.Single(metrics.Split('\n'), each => each.StartsWith(begin, StringComparison.Ordinal));
        return double.Parse(line[begin.Length..], CultureInfo.InvariantCulture);
    }
}
