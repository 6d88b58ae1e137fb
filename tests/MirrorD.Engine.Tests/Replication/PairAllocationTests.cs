using System.Diagnostics;
using MirrorD.Engine.Control;
using Xunit.Abstractions;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>The data path of a joined pair allocates nothing per request, on either side.</summary>
[Trait("Level", "Hosts")]
public class PairAllocationTests(ITestOutputHelper output)
{
    /// <summary>
    /// Room for what is done by time and not by request, however slow the machine: a status and a checkpoint
    /// each second (some 600 bytes).
    /// </summary>
    private const long MostBytesPerSecond = 2_000;

    /// <summary>One object for every twentieth request would be more.</summary>
    private const long MostBytesPerRequest = 1;

    [Theory]
    [InlineData(4096, 64, 20_000, false)]
    [InlineData(65536, 16, 5_000, false)]
    [InlineData(4096, 64, 5_000, true)]
    public void A_replicated_request_allocates_nothing_on_either_side(
        int lengthBytes, int depth, int requests, bool isMixed)
    {
        using var pair = new RealPair(256 << 20);
        pair.A.Do(new ResourceCommand.Promote(false));
        var client = new RealPair.Client(pair.A, depth, lengthBytes) { IsMixed = isMixed };
        client.Run(pair, count: 4_000);
        long primary = pair.A.AllocatedBytes();
        long standby = pair.B.AllocatedBytes();
        long began = Stopwatch.GetTimestamp();
        client.Run(pair, requests);
        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        primary = pair.A.AllocatedBytes() - primary;
        standby = pair.B.AllocatedBytes() - standby;
        long most = (requests * MostBytesPerRequest) + (long)(Math.Ceiling(seconds) * MostBytesPerSecond);
        Assert.True(primary < most, $"the primary allocated {primary} bytes for {requests} requests");
        Assert.True(standby < most, $"the standby allocated {standby} bytes for {requests} requests");
        output.WriteLine($"primary {primary}, standby {standby} bytes for {requests} requests, {seconds:f1} s");
    }
}
