using System.Diagnostics;
using System.Globalization;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
using MirrorD.Lab.Networks;
using MirrorD.Lab.Pairs;

namespace MirrorD.Benchmarks.Studies;

/// <summary>A joined pair whose Standby's copy is thrown away and comes back, all of its blocks written before.</summary>
internal sealed class WholeResync
{
    private const long DiskBytes = 2L << 30;
    private const double DeadlineSeconds = 180;
    private readonly Pair _pair;

    /// <summary>Makes it and fills the volume.</summary>
    public WholeResync(Ground ground, params IReadOnlyList<string> lines)
    {
        _pair = new Pair(ground.Lab, new PairOptions { DiskBytes = DiskBytes, ResourceLines = lines });
        _pair.StartJoinedWithPrimaryA();
        long length = _pair.A.Status().LengthBytes("data");
        Client = new Contender(
            "client", Peers.OverNbd(NbdTools.Uri(_pair.A.Export())), () => [_pair.A.Daemon, _pair.B.Daemon],
            fill: ["--rw=write", "--bs=128k", "--iodepth=8",
                string.Create(CultureInfo.InvariantCulture, $"--size={length / 4096 * 4096}")]);
        Client.Fill();
    }

    /// <summary>The client of the volume.</summary>
    public Contender Client { get; }

    /// <summary>Copies all of it.</summary>
    /// <returns>Bytes each second, from the first sight of the resync to that of its end.</returns>
    public double Run()
    {
        Begin();
        var clock = Stopwatch.StartNew();
        long total = _pair.A.Status().Resync?.Total ?? throw new InvalidOperationException("the resync was not seen");
        End();
        return total / clock.Elapsed.TotalSeconds;
    }

    /// <summary>Does something while all of it is copied, and waits for the end of both.</summary>
    /// <returns>What it measured; bytes on the link each second meanwhile, too few where the resync ended first; whether it did.</returns>
    public (Figures Figures, double LinkBytesPerSecond, bool HasEnded) While(Func<Figures> work)
    {
        Begin();
        (Figures figures, double rate) = OnLink(work);
        bool hasEnded = _pair.A.Status().Resync is null;
        End();
        return (figures, rate, hasEnded);
    }

    /// <summary>Does something; tells what the Primary sent on the dedicated link in the middle half of the time.</summary>
    public (Figures Figures, double LinkBytesPerSecond) OnLink(Func<Figures> work)
    {
        // Counted by the kernel: what the daemon tells of itself is up to a second old. A client needs a while to begin and to end.
        var counts = new List<(TimeSpan At, long Bytes)>();
        var clock = Stopwatch.StartNew();
        using var end = new ManualResetEventSlim();
        var counter = new Thread(() =>
        {
            do
            {
                counts.Add((clock.Elapsed, SentBytes()));
            }
            while (!end.Wait(100));
        });
        counter.Start();
        Figures figures;
        try
        {
            figures = work();
        }
        finally
        {
            end.Set();
            counter.Join();
        }

        TimeSpan all = counts[^1].At;
        var middle = counts.Where(count => count.At >= all / 4 && count.At <= all * 3 / 4).ToList();
        if (middle.Count < 3)
        {
            throw new InvalidOperationException($"{all.TotalSeconds} s are too few to count what is sent: try more --seconds");
        }

        return (figures, (middle[^1].Bytes - middle[0].Bytes) / (middle[^1].At - middle[0].At).TotalSeconds);
    }

    // proc_pid_net(5): after the name eight words of what was received, then the bytes sent.
    private long SentBytes() => long.Parse(
        File.ReadLines($"/proc/{_pair.A.Daemon.Id}/net/dev")
            .First(line => line.TrimStart().StartsWith($"{Host.DedicatedInterface}:", StringComparison.Ordinal))
            .Split(':')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[8],
        CultureInfo.InvariantCulture);

    private void Begin()
    {
        _pair.B.Control("invalidate", Pair.ResourceName, "--yes").Require();
        Wait.For("a resync to run", DeadlineSeconds, () => _pair.A.Status().Resync is not null);
    }

    private void End() => Wait.For(
        "the resync to end", DeadlineSeconds,
        () => _pair.A.Status().Resync is null && _pair.B.Status().IsJoined, () => _pair.B.Status().ToString());
}
