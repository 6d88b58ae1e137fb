using System.Diagnostics;
using MirrorD.Engine.Control;
using MirrorD.Formats;
using MirrorD.Io.Linux;
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

    private const int Rounds = 4;

    [Theory]
    [InlineData(4096, 64, 20_000, false)]
    [InlineData(65536, 16, 5_000, false)]
    [InlineData(4096, 64, 5_000, true)]
    [InlineData(4096, 64, 5_000, false, ReplicationMode.Memory)]
    [InlineData(65536, 16, 5_000, true, ReplicationMode.Memory)]
    [InlineData(4096, 64, 5_000, false, ReplicationMode.Async)]
    [InlineData(65536, 16, 5_000, true, ReplicationMode.Async)]
    [InlineData(4096, 64, 5_000, false, ReplicationMode.Sync, LoopKind.Epoll)]
    [InlineData(65536, 16, 5_000, true, ReplicationMode.Async, LoopKind.Epoll)]
    public void A_replicated_request_allocates_nothing_on_either_side(
        int lengthBytes, int depth, int requests, bool isMixed, ReplicationMode mode = ReplicationMode.Sync,
        LoopKind loops = LoopKind.Uring)
    {
        using var pair = new RealPair(16 << 20, mode, loops: loops);
        pair.A.Do(new ResourceCommand.Promote(false));
        var client = new RealPair.Client(pair, pair.A, depth, lengthBytes) { IsMixed = isMixed };

        // What is answered ahead may be thousands at once: the standby's pool grows until so many have been.
        client.Run(pair, count: mode == ReplicationMode.Async ? 40_000 : 2_000);

        // Pools grow when more is in flight than ever before; an allocation per request is in every round.
        string found = "";
        for (int round = 0; round < Rounds; round++)
        {
            long primary = pair.A.AllocatedBytes();
            long standby = pair.B.AllocatedBytes();
            long began = Stopwatch.GetTimestamp();
            client.Run(pair, requests);
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            primary = pair.A.AllocatedBytes() - primary;
            standby = pair.B.AllocatedBytes() - standby;
            long most = (requests * MostBytesPerRequest) + (long)(Math.Ceiling(seconds) * MostBytesPerSecond);
            found = $"primary {primary}, standby {standby} bytes for {requests} requests in {seconds:f1} s";
            output.WriteLine(found);
            if (primary < most && standby < most)
            {
                return;
            }
        }

        Assert.Fail(found);
    }
}
