using System.Diagnostics;
using MirrorD.Core;
using MirrorD.Core.Failover;
using MirrorD.Engine.Control;
using MirrorD.Engine.Tests.Link;
using MirrorD.Engine.Tests.Nbd;
using MirrorD.Io.Linux;
using Xunit.Abstractions;

namespace MirrorD.Engine.Tests.Replication;

/// <summary>Not beside other tests: collections are those of the whole process.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>
/// A hundred thousand requests of a client over NBD, through Primary and Standby on real sockets, loops and files, take
/// nothing from the heap, and no collection is due.
/// </summary>
[Collection("alone")]
[Trait("Level", "Hosts")]
public class LoadAllocationTests(ITestOutputHelper output)
{
    private const int Requests = 100_000;

    /// <summary>More extents than may be active at once, so that the activity log is written for each that returns.</summary>
    private const long DataBytes = (Limits.ActiveExtents + 64L) * Limits.ExtentBytes;

    /// <summary>
    /// Room of a node's loop for what is done by time, however slow the machine: a status and a checkpoint each second (some
    /// 600 bytes), and the samples themselves. The smallest object for every thirtieth request would be more.
    /// </summary>
    private const long MostBytesOfLoop = 64 * 1024;

    /// <summary>Looked at for each request; without any path there would be nothing to walk along.</summary>
    private static readonly PathPicture s_allUp = new(
        [
            new PathSight("dedicated", PathKind.Dedicated, PathState.Up, 0),
            new PathSight("production", PathKind.Production, PathState.Up, 0),
        ],
        null, DaemonIsGone: false);

    /// <summary>
    /// Of all threads, those of disks under epoll and of the test included, in the part where it is least: the runner of the
    /// tests sends results off whenever it likes, which takes 600 KB at times.
    /// </summary>
    private const long MostBytesOfPart = 32 * 1024;

    private const int Parts = 5;

    [Theory]
    [InlineData(LoopKind.Uring, false)]
    [InlineData(LoopKind.Uring, true)]
    [InlineData(LoopKind.Epoll, false)]
    [InlineData(LoopKind.Epoll, true)]
    public void A_hundred_thousand_requests_allocate_nothing_and_nothing_is_collected(LoopKind loops, bool withTls)
    {
        using var tls = new SelfSignedTls();
        using var pair = new RealPair(
            DataBytes, loops: loops, security: withTls ? tls.On : null, isSparse: true);
        pair.A.Resource.PathsChanged(s_allUp);
        pair.B.Resource.PathsChanged(s_allUp);
        pair.A.Do(new ResourceCommand.Promote(false));
        using var client = new NbdLoad(pair.A.Serve(), DataBytes);
        client.TouchAll();
        client.Run(Requests / 10);

        List<Sample> samples = [Take(pair)];
        long began = Stopwatch.GetTimestamp();
        for (int part = 0; part < Parts; part++)
        {
            client.Run(Requests / Parts);
            samples.Add(Take(pair));
        }

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        long primary = samples[^1].Primary - samples[0].Primary;
        long standby = samples[^1].Standby - samples[0].Standby;
        int collections = samples[^1].Collections - samples[0].Collections;
        long all = samples.Zip(samples.Skip(1), (before, after) => after.All - before.All).Min();
        string found = $"primary {primary}, standby {standby} bytes and {collections} collections for {Requests} requests in "
            + $"{seconds:f1} s; all threads {all} bytes in the part where it was least";
        output.WriteLine(found);
        Assert.True(
            primary < MostBytesOfLoop && standby < MostBytesOfLoop && all < MostBytesOfPart && collections == 0, found);
    }

    /// <summary>Collections of all generations: those of older ones count in the youngest as well.</summary>
    private static Sample Take(RealPair pair) => new(
        pair.A.AllocatedBytes(), pair.B.AllocatedBytes(), GC.GetTotalAllocatedBytes(precise: true), GC.CollectionCount(0));

    private readonly record struct Sample(long Primary, long Standby, long All, int Collections);
}
