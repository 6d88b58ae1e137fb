using System.Diagnostics;
using System.Globalization;
using MirrorD.Benchmarks.Contenders;
using MirrorD.Lab;
using MirrorD.Lab.Clients;
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
    /// <returns>What it measured; bytes of the resync each second meanwhile; true when the resync ended first.</returns>
    public (Figures Figures, double BytesPerSecond, bool HasEnded) While(Func<Figures> work)
    {
        Begin();
        long total = _pair.A.Status().Resync?.Total ?? throw new InvalidOperationException("the resync was not seen");
        long before = _pair.A.Status().Resync?.Sent ?? 0;
        var clock = Stopwatch.StartNew();
        Figures figures = work();
        double seconds = clock.Elapsed.TotalSeconds;
        long? after = _pair.A.Status().Resync?.Sent;
        End();

        // When it ended first, it was at least as fast as this.
        return (figures, ((after ?? total) - before) / seconds, after is null);
    }

    private void Begin()
    {
        _pair.B.Control("invalidate", Pair.ResourceName, "--yes").Require();
        Wait.For("a resync to run", DeadlineSeconds, () => _pair.A.Status().Resync is not null);
    }

    private void End() => Wait.For(
        "the resync to end", DeadlineSeconds,
        () => _pair.A.Status().Resync is null && _pair.B.Status().IsJoined, () => _pair.B.Status().ToString());
}
